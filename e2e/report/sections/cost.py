"""The section of costs."""

from collections.abc import Iterator

from e2e.report.costs import HOURS_A_MONTH, Load, cost, idle_month, mean_ready
from e2e.report.document import Block, Section, Table, Text
from e2e.report.formats import number, percent
from e2e.report.prices import Machine, Prices, Replica
from e2e.report.runs import Folder, Part, Run

TITLE = "Cost"


def costs(folder: Folder, prices: Prices) -> Section:
    """Return what requests and tokens cost at each load on each machine, and what doing nothing costs."""
    return Section(TITLE, [*_prices(prices), *_loads(folder, prices), *_idle(folder, prices)])


def cheapest(folder: Folder, prices: Prices) -> str | None:
    """Return the lowest price of a million tokens, in a sentence; None if no load that can be relied on has one."""
    found = [
        (priced, f"{machine.currency} on {machine.provider} {machine.name} ({run.scenario}, {part.label})")
        for run in folder.runs.values()
        for part in run.parts
        if not part.doubtful and (load := load_of(run, part))
        for machine in prices.machines
        if (priced := cost(load, machine, prices.of(run.scenario)).per_million_tokens) is not None
    ]
    if not found:
        return None
    price, where = min(found)
    return f"Cost, by list prices that are to be checked: a million tokens from {number(price)} {where}."


def load_of(run: Run, part: Part) -> Load | None:
    """Return what a phase's replicas did in a second; None where nothing was answered or no replica is known."""
    replicas = mean_replicas(run, part)
    if not replicas or not part.summary.achieved_rate:
        return None
    return Load(replicas, part.summary.achieved_rate, part.summary.tokens_per_second)


def mean_replicas(run: Run, part: Part) -> float:
    """Return the mean number of ready replicas in a phase, or how many answered if nobody looked."""
    ready = [(sample.at, sum(one.ready for one in sample.replicas)) for sample in run.results.samples]
    looked = mean_ready(ready, part.phase.begin, part.phase.end)
    return len(part.summary.by_replica) if looked is None else looked


def fewest_replicas(folder: Folder) -> int | None:
    """Return the least number of replicas that were ready at any look; None if nobody looked."""
    looks = [
        sum(one.ready for one in sample.replicas)
        for run in folder.runs.values()
        for sample in run.results.samples
    ]
    return min((count for count in looks if count), default=None)


def _prices(prices: Prices) -> Iterator[Block]:
    yield Text(
        "Prices that were noted by hand, and not looked up when this report was made: check them before you use what "
        "follows. A replica pays for the larger of its shares of a machine's CPUs and memory, by what it may use at "
        f"the most: {_sizes(prices)}. Disks, load balancers, traffic, the cluster's price, and the rest of a machine "
        "that nothing else uses are not counted."
    )
    header = ("machine", "region", "per hour", "noted", "source", "a replica's share", "a replica, per hour")
    yield Table(header, [_machine(machine, prices.replica) for machine in prices.machines])


def _sizes(prices: Prices) -> str:
    others = (f"in {scenario} {_size(replica)}" for scenario, replica in prices.replica_in.items())
    return "; ".join([_size(prices.replica), *others])


def _size(replica: Replica) -> str:
    return f"{replica.cpu_cores:g} CPU and {replica.memory_gib:g} GiB"


def _machine(machine: Machine, replica: Replica) -> list[str]:
    return [
        f"{machine.provider} {machine.name}",
        machine.region,
        f"{number(machine.price_per_hour, 4)} {machine.currency}",
        str(machine.noted),
        machine.source,
        percent(machine.share(replica)),
        f"{number(machine.replica_price(replica))} {machine.currency}",
    ]


def _loads(folder: Folder, prices: Prices) -> Iterator[Block]:
    loads = [
        (run, part, load)
        for run in folder.runs.values()
        for part in run.parts
        if (load := load_of(run, part))
    ]
    if not loads:
        yield Text("No load with answers was measured, so requests and tokens have no price.")
        return
    yield Text(
        "At each load: mean ready replicas, times the price of one, over the complete answers and their tokens in the "
        "same time. None of these machines was measured: a core of each is taken to be as fast as one was here."
    )
    header = ["load", "replicas", "answers/s", "tokens/s"]
    for machine in prices.machines:
        header += [
            f"{machine.provider}: {amount}, {machine.currency}"
            for amount in ("1,000 requests", "1,000,000 tokens")
        ]
    rows = [_priced(run, part, load, prices) for run, part, load in loads]
    yield Table(header, rows, frozenset(row for row, (_, part, _) in enumerate(loads) if part.doubtful))


def _priced(run: Run, part: Part, load: Load, prices: Prices) -> list[str]:
    costs = [cost(load, machine, prices.of(run.scenario)) for machine in prices.machines]
    return [
        f"{run.scenario}: {part.label}",
        number(load.replicas),
        number(load.requests_per_second),
        number(load.tokens_per_second),
        *(number(each) for one in costs for each in (one.per_thousand_requests, one.per_million_tokens)),
    ]


def _idle(folder: Folder, prices: Prices) -> Iterator[Block]:
    fewest = fewest_replicas(folder)
    replicas = fewest or 1
    count = f"{replicas} replica{'' if replicas == 1 else 's'}"
    seen = "as many as there were at the least" if fewest else "how many there were was not measured"
    month = "; ".join(
        f"{machine.provider} {machine.name}: {number(idle_month(replicas, machine, prices.replica))} {machine.currency}"
        for machine in prices.machines
    )
    yield Text(f"Idle, {count} ({seen}) for a month of {HOURS_A_MONTH} hours: {month}.")
