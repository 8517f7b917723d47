"""Stories that hypothesis makes up about bills, payments and refunds, under a bad network, and what must always hold.

`tests/payments/test_whole_stories.py` tells a few; `python -m tests.payments.stories` tells as many as one likes.
"""
