"""Workers in plain Ray actors: one actor per slot, replaced when it dies."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, final

import ray

from autodc.adapters.executors.deaths import Orders, WorkerDeaths
from autodc.adapters.executors.link import DriverAddress, Worker

if TYPE_CHECKING:
    from autodc.studyfile.study import MachineSpec

LOOK_SECONDS = 0.25
STOP_SECONDS = 5.0


@final
class ActorPool:
    """Keeps an actor per slot serving the server."""

    def __init__(self, machine: MachineSpec, orders: Orders, deaths: WorkerDeaths, driver: DriverAddress) -> None:
        resources = {"num_cpus": machine.cpus_per_trial, "num_gpus": machine.gpus_per_trial}
        self._host = ray.remote(max_restarts=0, max_concurrency=1, **resources)(_Host)
        self._driver = driver
        self._orders, self._deaths = orders, deaths
        self._serving: dict[Any, Any] = {}
        self._thread = threading.Thread(target=self._keep, name="actors", daemon=True)

    def start(self) -> None:
        """Start the actors; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Wait until the actors have gone home, then end those that have not."""
        self._thread.join(STOP_SECONDS)
        for actor in list(self._serving.values()):
            ray.kill(actor)

    def _keep(self) -> None:
        while not self._orders.closed:
            while len(self._serving) < self._orders.slots and self._deaths.may_start():
                actor = self._host.remote()
                self._serving[actor.serve.remote(self._driver)] = actor
            self._clear(LOOK_SECONDS)
        end = time.monotonic() + STOP_SECONDS
        while self._serving and time.monotonic() < end:
            self._clear(LOOK_SECONDS)

    def _clear(self, timeout: float) -> None:
        if not self._serving:
            time.sleep(timeout)
            return
        gone, _ = ray.wait(list(self._serving), timeout=timeout)
        for reference in gone:
            self._serving.pop(reference)
            try:
                ray.get(reference)
            except ray.exceptions.RayError as error:
                self._deaths.died(str(error))


class _Host:
    """The actor: serves until the driver hangs up."""

    def serve(self, driver: DriverAddress) -> None:
        worker = Worker(driver)
        try:
            while worker.serve_one() is not None:
                pass
        finally:
            worker.close()
