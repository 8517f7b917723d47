"""The hosted cashier: the page a payer is sent to, with card, Alipay and WeChat Pay. Works without any script."""

from __future__ import annotations

from payments.simulator.cashier.pages import answer

__all__ = ["answer"]
