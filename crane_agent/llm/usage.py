"""What a model's replies cost in tokens, as its endpoint reports it; estimated where it reports nothing."""

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.messages.utils import count_tokens_approximately


def counted(reply: AIMessage, *, asked: int) -> AIMessage:
    """Return a reply with what it cost: a run's budget must hold for endpoints, too, that report nothing, or nonsense.

    Args:
        reply: As the endpoint gave it.
        asked: Estimated size of the question [tokens].
    """
    reported = reply.usage_metadata
    tokens_in = reported["input_tokens"] if reported else 0
    tokens_out = reported["output_tokens"] if reported else 0
    tokens_in = tokens_in if tokens_in > 0 else asked
    tokens_out = tokens_out if tokens_out > 0 else count_tokens_approximately([reply])
    # Some names carry the tier of the service in front.
    details = reported.get("input_token_details", {}) if reported else {}
    cached = sum(value for name, value in details.items() if name.endswith("cache_read") and isinstance(value, int))
    usage = UsageMetadata(
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        total_tokens=tokens_in + tokens_out,
        input_token_details=InputTokenDetails(cache_read=min(max(cached, 0), tokens_in)),
    )
    return reply.model_copy(update={"usage_metadata": usage})


def cached_tokens(messages: Sequence[AnyMessage]) -> int:
    """Return how many of the tokens sent the endpoint had in its cache, replies that were `counted` taken together."""
    usages = [message.usage_metadata for message in messages if isinstance(message, AIMessage)]
    return sum(usage.get("input_token_details", {}).get("cache_read", 0) for usage in usages if usage)
