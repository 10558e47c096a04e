"""What a run tests, written down when it begins: enough to see later whether two runs tested the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.evaluation.results import Subject
from trainer.instructions import current_version

if TYPE_CHECKING:
    from trainer.evaluation.examining import Means
    from trainer.index import ExampleIndex
    from trainer.ports import ObjectStore
    from trainer.scope import Scope


def subject_of(
    store: ObjectStore,
    scope: Scope,
    dataset: str,
    *,
    knowledge: ExampleIndex,
    means: Means,
    instruction: str | None = None,
) -> Subject:
    """What is tested when this dataset answers now.

    Args:
        store: where the instruction in force is kept.
        scope: whose dataset it is.
        dataset: its name.
        knowledge: what counts as taught.
        means: what is tested, and with what.
        instruction: names the instruction, if it is not the one in force.
    """
    if instruction is None:
        version = current_version(store, scope)
        # A return to the default text is a version of its own, and the text the same as before.
        instruction = version.id if version is not None and version.text else ""
    return Subject(
        dataset=dataset,
        model=means.answering.model,
        instruction=instruction,
        snapshot=knowledge.snapshot(),
        examples=sum(knowledge.count()),
        judge=means.judge.name if means.judge is not None else "",
        embedder=means.embedder.name if means.embedder is not None else "",
    )
