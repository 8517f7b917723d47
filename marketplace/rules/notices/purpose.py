"""What a purchase is for: an approval case, whose item list binds the authority, or the owner's own need.

The published list says which services an approval may demand. A purchase that serves no approval case is marked so that nobody
takes it for a condition of an approval (是否为行政管理中介服务事项).
"""

from app.kernel.words import N_


def purpose_label(*, serves_case: bool) -> str:
    """Message id of the mark on a notice."""
    if serves_case:
        return N_("Bought for an approval case")
    return N_("Not an approval condition")
