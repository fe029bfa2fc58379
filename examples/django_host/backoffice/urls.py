"""The paths of this project's own; every other path is the forge's."""

from __future__ import annotations

from django.urls import path

from backoffice.views import wish

urlpatterns = [path("example/projects/<str:key>/wishes", wish)]
