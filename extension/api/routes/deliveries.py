"""Deliveries: whether the alerts arrived, and sending one again."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from extension.api.routes.needs import IdArg, LimitArg, ServicesArg, errors
from extension.wire import DeliveryOut

router = APIRouter(tags=["alerts"])


@router.get("/deliveries")
def list_deliveries(services: ServicesArg, limit: LimitArg = 200) -> list[DeliveryOut]:
    """Deliveries of all jobs."""
    return [DeliveryOut.of(delivery) for delivery in services.store.deliveries(None, limit)]


@router.post(
    "/deliveries/{delivery_id}/redeliver",
    status_code=HTTPStatus.ACCEPTED,
    responses=errors(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)
def redeliver(delivery_id: IdArg, services: ServicesArg) -> DeliveryOut:
    """Send an alert again, whether it arrived or was given up; receivers know it by its id."""
    services.store.delivery(delivery_id)
    services.store.redeliver(delivery_id, services.clock.now())
    services.wake()
    return DeliveryOut.of(services.store.delivery(delivery_id))
