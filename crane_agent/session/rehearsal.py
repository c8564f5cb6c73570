"""Rehearsing a cell: in a fenced fork of the kernel where that is proved safe."""

from crane_agent.errors import KernelBusy
from crane_agent.session.channel import Channel, KernelFacts
from crane_agent.session.fence_proof import proof_of
from crane_agent.session.protocol import Limits, Rehearsal, Reply

AROUND_S = 20.0
"""Time beyond the cell's own that a rehearsal may take: until the kernel is quiet, to go behind the fence, to end."""

REPORT_BYTES = 65_536
"""Size of a report [bytes]."""


def rehearse_in_fork(channel: Channel, facts: KernelFacts, source: str, *, seconds: float) -> Rehearsal:
    """Run a cell in a fenced fork of the kernel.

    Args:
        channel: To the kernel.
        facts: What the kernel said about itself.
        source: The cell.
        seconds: Time that the cell has [seconds].

    Raises:
        KernelDied: The kernel is gone.
    """
    proof = proof_of(facts.executable, pid=facts.pid)
    if proof.missing:
        reason = f"could not rehearse, because the fence was not proved here: {proof.missing}"
        return Rehearsal(Reply("refused", reason=reason))
    arguments = {"source": source, "seconds": seconds, "layers": list(proof.layers)}
    try:
        return Rehearsal(channel.ask("rehearse", arguments, limits=Limits(seconds + AROUND_S, 50, REPORT_BYTES)))
    except KernelBusy as busy:
        return Rehearsal(Reply("refused", reason=f"could not rehearse, because the kernel is busy: {busy}"))
