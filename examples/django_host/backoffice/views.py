"""A view of this project's own, in which an ORM write and a forge's event share one fate."""

from __future__ import annotations

import json
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig, ValidationError
from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from backoffice.forge import the_forge
from backoffice.models import Request
from forgekit import Forge, ForgekitError
from forgekit.hosting import admit, problem


@csrf_exempt  # the guard refuses requests from pages of other sites
@require_POST
def wish(request: HttpRequest, key: str) -> JsonResponse:
    """Turn ``{"customer", "wish"}`` into a row here and a work item there: both are stored, or neither."""
    forge = the_forge()
    try:
        admit(forge, method="POST", path=request.path, headers=request.headers.items(), peer=request.META.get("REMOTE_ADDR"))
        number = _store(forge, key, *_read(request))
    except ForgekitError as error:
        found = problem(error)
        return JsonResponse(found.body, status=found.status, headers=dict(found.headers))
    except ValidationError as error:
        return JsonResponse({"detail": " ".join(error.messages)}, status=HTTPStatus.BAD_REQUEST)
    return JsonResponse({"item": number}, status=HTTPStatus.CREATED)


def _read(request: HttpRequest) -> tuple[str, str]:
    try:
        wanted = json.loads(request.body)
        customer, name = wanted["customer"], wanted["wish"]
    except (ValueError, KeyError, TypeError, RecursionError, RequestDataTooBig):
        customer = name = None
    if not isinstance(customer, str) or not isinstance(name, str):
        raise ValidationError("The body is not a wish: it needs a customer and a wish, both texts.")
    return customer, name


def _store(forge: Forge, key: str, customer: str, name: str) -> int:
    with transaction.atomic(), forge.transaction(connection=connection, on_commit=transaction.on_commit) as tx:
        item = forge.work.create_item(key, name=name, tx=tx)
        made = Request(customer=customer, item_number=item.number)
        # A customer that the model refuses is found after the forge has written: the work item goes, too.
        made.full_clean()
        made.save()
    return item.number
