"""Rehearsing a cell: in a fenced fork of the kernel where that is proved safe, else in a second kernel."""

from dataclasses import replace

from crane_agent.errors import KernelBusy
from crane_agent.session.channel import Channel, KernelFacts
from crane_agent.session.fence_proof import Proof, proof_of
from crane_agent.session.protocol import Limits, PatchedCell, Rehearsal, Reply
from crane_agent.session.shadow import Origin, rehearse_in_shadow

AROUND_S = 20.0
"""Time beyond the cell's own that a rehearsal may take: until the kernel is quiet, to go behind the fence, to end."""

REPORT_BYTES = 65_536
"""Size of a report [bytes]."""

# How what a fork may not do or cannot have begins in words, where a kernel that is started anew can.
_SETTLED_ACTS = ("started a process", "reached for another process", "used a connection that was opened before")
_SETTLED_ENDS = (
    "it got stuck", "it died of", "it ended without a word", "it needs a graphics card", "a connection broke",
)  # fmt: skip
_KILLED = "it died of SIGKILL"


def rehearse(
    channel: Channel,
    facts: KernelFacts,
    source: str,
    *,
    seconds: float,
    origin: Origin | None = None,
    patched: PatchedCell | None = None,
) -> Rehearsal:
    """Run a cell in a fenced fork of the kernel, or where that tells nothing, in a second kernel brought to its state.

    Args:
        channel: To the kernel.
        facts: What the kernel said about itself.
        source: The cell.
        seconds: Time that the cell has [seconds].
        origin: How the kernel came to its state; None if that cannot be done again.
        patched: An executed cell that is to be another one; only a second kernel can be brought to that state.

    Raises:
        KernelDied: The kernel is gone.
    """
    if patched is not None and origin is None:
        return _refused("only a kernel that we started can be brought to another state")
    proof = proof_of(facts.executable, pid=facts.pid)
    if not proof.layers:
        return _refused(f"the fence was not proved here: {proof.missing}")
    if patched is not None and origin is not None:
        return rehearse_in_shadow(origin, proof.layers, source, seconds=seconds, patched=patched)
    try:
        fork = _rehearse_in_fork(channel, proof, source, seconds=seconds)
    except KernelBusy as busy:
        # What runs there changes the state that a second kernel would be brought to.
        return _refused(f"the kernel is busy: {busy}")
    if origin is None or not _is_settled_by_shadow(fork.reply):
        return fork
    shadow = rehearse_in_shadow(origin, proof.layers, source, seconds=seconds)
    if shadow.reply.status != "refused":
        return replace(shadow, fork=fork.reply)
    if fork.reply.status == "ok":
        return Rehearsal(fork.reply, replay_ms=shadow.replay_ms)
    reason = f"{fork.reply.reason}; {shadow.reply.reason}"
    return Rehearsal(Reply("refused", reason=reason), replay_ms=shadow.replay_ms)


def _is_settled_by_shadow(reply: Reply) -> bool:
    """Whether a second kernel can say what the fork could not; not of a state that a running cell changes."""
    if reply.running:
        return False
    if reply.status != "ok":
        return reply.status == "refused"
    answer = reply.answer
    if answer["outcome"] != "unknown":
        return False
    if answer["denied"]:
        return all(act.startswith(_SETTLED_ACTS) for act in answer["denied"])
    why: str = answer["why"]
    return why.startswith(_SETTLED_ENDS) and not why.startswith(_KILLED)


def _rehearse_in_fork(channel: Channel, proof: Proof, source: str, *, seconds: float) -> Rehearsal:
    if proof.missing:
        return _refused(f"the fence was not proved here: {proof.missing}")
    arguments = {"source": source, "seconds": seconds, "layers": list(proof.layers)}
    return Rehearsal(channel.ask("rehearse", arguments, limits=Limits(seconds + AROUND_S, 50, REPORT_BYTES)))


def _refused(why: str) -> Rehearsal:
    return Rehearsal(Reply("refused", reason=f"could not rehearse, because {why}"))
