"""From a published notice to the doorstep, in a real browser."""

import pytest

from tests.browser.story import Played

pytestmark = [pytest.mark.browser]


def test_the_whole_way_in_a_browser(played: Played) -> None:
    """The steps assert what each person sees; here: the browser had nothing to block on the way."""
    assert played.complaints == ()
    assert {"case", "procurement", "draw", "contract", "bill", "certificate", "parcel"} <= set(played.story.at)
