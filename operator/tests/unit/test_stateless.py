"""What kopf is kept from keeping."""

import asyncio

from codemodel_operator.stateless import NoMemories


def test_no_object_is_remembered() -> None:
    async def handled() -> int:
        memories = NoMemories()
        for uid in ("a", "a", "b"):
            await memories.recall({"metadata": {"uid": uid}}, noticed_by_listing=True)
        return len(list(memories.iter_all_memories()))

    assert asyncio.run(handled()) == 0
