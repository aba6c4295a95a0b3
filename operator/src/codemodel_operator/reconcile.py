"""Makes the cluster match one CodeModel, and says in its status how far that got."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from .api.codemodel import Owner, owner_of, parse_spec
from .api.spec import CodeModelSpec
from .api.status import CodeModelStatus
from .apply import Problem, apply_child
from .cluster import Cluster, Manifest
from .errors import EndingError, ExistsError, OperatorError
from .events import build_event, complaint, news
from .findings import no_room
from .inventory import Inventory
from .metrics import Metrics
from .observe import Observed, observe, owned_by
from .plan import Headers, make_plan
from .pods import alive, downloading
from .progress import LOG_LINES, Progress, parse_progress
from .resources import build_children, needed_first
from .resources.download import DOWNLOADER, Downloads
from .scaling import rescale_reason, rescaled
from .settings import PROGRESS_SECONDS, REFUSED_SECONDS, REPORT_SECONDS, RESYNC_SECONDS, UNEXPLAINED_SECONDS
from .status import compute_status, dump_status, read_status
from .workqueue import Key
from .world import World, lacks_memory, unexplained

logger = logging.getLogger(__name__)


Arrived = Callable[[Key], Manifest | None]
"""Asked for a CodeModel that a watch has just brought because it was created; it is given once."""

Left = Callable[[Key, Iterable[Manifest]], None]
"""Told of the objects of a CodeModel as a look has seen or left them, the last of each counts; of none: it is gone."""


class Reconciler:
    """Level-triggered: looks at what is, not at what happened; doing it twice changes nothing."""

    def __init__(
        self,
        cluster: Cluster,
        headers: Headers,
        inventory: Inventory,
        *,
        default_image: str,
        downloads: Downloads,
        metrics: Metrics,
        arrived: Arrived,
        left: Left,
        now: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._headers = headers
        self._inventory = inventory
        self._default_image = default_image
        self._downloads = downloads
        self._metrics = metrics
        self._arrived = arrived
        self._left = left
        # Have what is needed first, but no status yet.
        self._unreported: set[Key] = set()
        self._now = now

    async def reconcile(self, key: Key) -> float | None:
        """Return the seconds after which to look again, None when the CodeModel is gone.

        Raises:
            OperatorError: the cluster did not let us finish; try again.
        """
        arrived = self._arrived(key)
        try:
            return await self._reconcile(key, trust=key not in self._unreported, arrived=arrived)
        except ExistsError:
            return await self._reconcile(key, trust=False)

    async def _reconcile(self, key: Key, *, trust: bool, arrived: Manifest | None = None) -> float | None:
        observed = await observe(self._cluster, key, trust=trust, arrived=arrived)
        if observed is None:
            self._unreported.discard(key)
            self._left(key, ())
            return None
        owner, before = owner_of(observed.codemodel), read_status(observed.codemodel)
        spec = parse_spec(observed.codemodel)
        if isinstance(spec, str):
            # What runs goes on running as it is.
            problem = Problem("InvalidSpec", spec)
            world = World(owner, None, _owned(owner, observed), observed.pods, [problem], cache=before.cache)
        else:
            world = await self._make(owner, spec, observed, before)
        if observed.new and not world.problems:
            # Others may wait for their children. The next look makes the rest, and its status is nearer to the truth.
            self._unreported.add(key)
            return REPORT_SECONDS
        riddles = unexplained(world)
        downloader = downloading(alive(world.pods))
        world = replace(
            world,
            hints=await self._hints(owner, riddles),
            progress=await self._progress(owner, downloader) if downloader else None,
            rescale=await self._rescale(world) if rescaled(world, before) else None,
            nodes=await self._inventory.nodes() if lacks_memory(world) else None,
        )
        written = await self._report(world, before)
        self._unreported.discard(key)
        # What was written says more of an object than what was read before.
        objects = (observed.codemodel, *observed.children.values(), *observed.pods, *world.children.values())
        self._left(key, (*objects, *([written] if written else [])))
        for problem in world.problems:
            if problem.error:
                raise problem.error
        if world.problems or no_room(world):
            return REFUSED_SECONDS
        if downloader:
            return PROGRESS_SECONDS
        return UNEXPLAINED_SECONDS if riddles else RESYNC_SECONDS

    async def _make(
        self, owner: Owner, spec: CodeModelSpec, observed: Observed, before: CodeModelStatus
    ) -> World:
        """Bring the children to the spec, of a new CodeModel those needed first, if the model can be served."""
        plan = await make_plan(
            owner, spec, observed, before, headers=self._headers, inventory=self._inventory
        )
        if plan.problem:
            children, problems = _owned(owner, observed), [plan.problem]
        else:
            desired = build_children(
                owner, plan.spec, default_image=self._default_image, downloads=self._downloads
            )
            first = needed_first(spec) if observed.new else desired.keys()
            now = {role: child for role, child in desired.items() if role in first}
            children, problems = await self._apply(owner, now, observed)
            if observed.new and problems:
                # They are reported at once, so no next look makes the rest soon.
                rest = {role: child for role, child in desired.items() if role not in first}
                made, others = await self._apply(owner, rest, observed)
                children, problems = children | made, problems + others
            if not problems:
                await self._prune(owner, children, observed)
        return World(owner, spec, children, observed.pods, problems, facts=plan.facts, cache=plan.cache)

    async def _apply(
        self, owner: Owner, desired: Mapping[str, Manifest], observed: Observed
    ) -> tuple[dict[str, Manifest], list[Problem]]:
        """Return the children as stored by role, and the problems with those that are not as desired."""
        results = await asyncio.gather(
            *(
                apply_child(self._cluster, manifest, observed.children.get(role), owner.uid)
                for role, manifest in desired.items()
            ),
            # Let all of them finish: a task left behind would write after this reconcile has ended.
            return_exceptions=True,
        )
        children: dict[str, Manifest] = {}
        problems: list[Problem] = []
        for role, result in zip(desired, results, strict=True):
            if isinstance(result, BaseException):
                raise result
            if isinstance(result, Problem):
                problems.append(result)
                if role in (owned := _owned(owner, observed)):
                    children[role] = owned[role]
            else:
                children[role] = result
        return children, problems

    async def _prune(self, owner: Owner, children: dict[str, Manifest], observed: Observed) -> None:
        """Delete what we own and no longer desire."""
        for role, live in _owned(owner, observed).items():
            if role not in children and not live["metadata"].get("deletionTimestamp"):
                await self._cluster.delete(live)
                logger.info(
                    "Pruned", extra={"event": {"child": f"{live['kind']}/{live['metadata']['name']}"}}
                )

    async def _hints(self, owner: Owner, uids: Sequence[str]) -> dict[str, str]:
        """Return what Kubernetes Events complain of about these objects, as far as they can be read."""
        found = {uid: complaint(await self._events(owner, uid)) for uid in uids}
        return {uid: text for uid, text in found.items() if text}

    async def _rescale(self, world: World) -> str | None:
        """Return why the autoscaler changed the number of replicas, as far as it can be read."""
        autoscaler = world.children.get("HorizontalPodAutoscaler")
        if autoscaler is None:
            return None
        return rescale_reason(await self._events(world.owner, autoscaler["metadata"]["uid"]))

    async def _events(self, owner: Owner, uid: str) -> list[Manifest]:
        """Return the Kubernetes Events about an object; none when they cannot be read."""
        try:
            return await self._cluster.list_events(owner.namespace, uid)
        except OperatorError as error:
            logger.warning("Events not read", extra={"event": {"reason": str(error)}})
            return []

    async def _progress(self, owner: Owner, pod: str) -> Progress | None:
        """Return how far the download in a pod is, as far as its log can be read."""
        try:
            return parse_progress(await self._cluster.read_log(owner.namespace, pod, DOWNLOADER, LOG_LINES))
        except OperatorError as error:
            logger.warning("Progress not read", extra={"event": {"pod": pod, "reason": str(error)}})
            return None

    async def _report(self, world: World, before: CodeModelStatus) -> Manifest | None:
        """Write the status when it changed, and tell of transitions; return the CodeModel as it is stored then."""
        owner, now = world.owner, self._now()
        written = None
        after = compute_status(world, before, now)
        if after != before:
            written = await self._cluster.write_status(
                owner.namespace, owner.name, owner.uid, dump_status(after)
            )
        # What could not be written is neither counted nor told: the next look sees it again.
        self._metrics.reported((owner.namespace, owner.name), before, after)
        await self._tell(owner, before, after, now)
        return written

    async def _tell(
        self, owner: Owner, before: CodeModelStatus, after: CodeModelStatus, now: datetime
    ) -> None:
        for told in news(before, after):
            facts = {"generation": owner.generation, "reason": told.reason, "detail": told.message}
            logger.info("Told", extra={"event": facts})
            try:
                await self._cluster.create_event(build_event(owner, told, now))
            except EndingError:
                raise
            except OperatorError as error:
                # The status has it already; an event is not worth another reconcile.
                logger.warning("Event not created", extra={"event": {"reason": str(error)}})


def _owned(owner: Owner, observed: Observed) -> dict[str, Manifest]:
    return {role: live for role, live in observed.children.items() if owned_by(live, owner.uid)}
