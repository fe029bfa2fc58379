"""The API contracts that forgekit serves, declared on its HTTP machine and loaded like any other plugin's."""
