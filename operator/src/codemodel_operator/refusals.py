"""Why the API server refuses an object, from its words. Pure functions."""

import re

_QUOTA = re.compile(r"\b(?:exceeded|failed) quota: ")
# In the words of admission webhooks and policies, of Pod Security, and of LimitRange.
_ADMISSION = re.compile(
    r"\bdenied (?:the )?request\b|\bviolates PodSecurity\b|\b(?:maximum|minimum) \S+ usage per\b"
    r"|\blimit to request ratio per\b"
)


def explain_refusal(text: str, otherwise: str) -> tuple[str, str]:
    """Return the reason for a condition, and the text with what to do.

    Args:
        text: the API server's message.
        otherwise: the reason of a refusal of no known kind.
    """
    if _QUOTA.search(text):
        reason = "QuotaExceeded"
        advice = "; raise the ResourceQuota of this namespace, or lower spec.resources or spec.scaling"
    elif _ADMISSION.search(text):
        reason, advice = "AdmissionRefused", "; write what the rule allows, or have the rule changed"
    else:
        return otherwise, text
    return reason, text.rstrip(" .") + advice
