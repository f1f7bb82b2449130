"""A dash that was probably left out below `any of:`, though what stands there can be read."""

from __future__ import annotations

from rules.context import Context
from rules.yamltext import Block, Items, Text


def advise_dash(context: Context, logic: str, node: Items, path: str) -> None:
    """A dash left out makes one item of two lines, both of which must hold. Between braces they were meant so."""
    several = [item for item in node.items if isinstance(item, Block) and len(item.entries) > 1]
    if logic != "any_of" or len(several) != 1:
        return
    first, second = (entry.key for entry in several[0].entries[:2])
    if isinstance(last := several[0].entries[1].value, Text) and not last.value:
        return  # what a comma broke off
    code = "any-of-one" if len(node.items) == 1 else "any-of-two"
    if code == "any-of-one" or (len(several[0].entries) == 2 and first.place.line < second.place.line):
        shown = context.words.key("logic", logic)
        context.advise(second.place, code, path, second.value, first=first.value, any_of=shown)
