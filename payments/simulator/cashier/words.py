"""What the cashier says, in Chinese and English."""

from __future__ import annotations

LANGUAGES = {"zh": "简体中文", "en": "English"}

TEXT: dict[str, dict[str, str]] = {
    "zh": {
        "simulated": "模拟收银台 · 不会产生真实扣款", "merchant": "网上中介超市 · 统一缴费", "pay_to": "收款方",
        "order": "订单明细", "total": "应付金额", "choose": "选择支付方式", "card": "银行卡", "alipay": "支付宝",
        "wechat_pay": "微信支付", "number": "卡号", "expiry": "有效期", "expiry_hint": "月 / 年，如 12/34",
        "cvc": "安全码", "cvc_hint": "卡背面三位数字", "holder": "持卡人姓名", "pay": "支付", "back": "返回商户",
        "alipay_text": "点击后将前往支付宝授权页面，确认后自动返回。", "alipay_go": "前往支付宝",
        "wechat_text": "点击后显示付款二维码，用微信扫一扫完成支付。", "wechat_go": "显示付款二维码",
        "test_cards": "测试卡号", "test_ok": "支付成功", "test_no": "被银行拒绝", "test_poor": "余额不足",
        "test_hint": "有效期填任意未来年月，安全码任意三位。", "until": "请在此时间前完成支付", "powered": "本机模拟的 Stripe Checkout",
        "alipay_title": "支付宝授权", "alipay_question": "是否向该商户支付以下金额？", "authorise": "确认授权并支付",
        "refuse": "放弃支付", "wechat_title": "微信扫码支付", "wechat_scan": "请使用微信“扫一扫”扫描二维码",
        "simulate_scan": "模拟扫码", "phone_title": "微信支付", "confirm_pay": "确认付款", "cancel": "取消",
        "waiting": "等待扫码……付款后本页自动跳转。", "done_title": "支付已完成", "done_text": "这笔款项已经支付，无需重复付款。",
        "expired_title": "收银台已过期", "expired_text": "本次支付已超过时限，没有扣款。请返回商户重新发起支付。",
        "missing_title": "没有找到该收银台", "missing_text": "链接不完整或已失效，请返回商户重新发起支付。",
        "to_merchant": "返回商户查看结果", "declined": "支付未成功", "language": "语言", "amount": "金额",
        "card_declined": "银行拒绝了这笔交易，没有扣款。请换一张卡或其他支付方式。",
        "insufficient_funds": "卡内余额不足，没有扣款。请换一张卡或其他支付方式。", "expired_card": "该卡已过期。",
        "incorrect_cvc": "安全码不正确，请核对后重试。", "processing_error": "处理时出错，没有扣款。请稍后重试。",
        "incorrect_number": "卡号不正确，请核对后重试。", "invalid_expiry_month": "有效期的月份不正确（01–12）。",
        "invalid_expiry_year": "有效期的年份已过。", "refused_by_payer": "您已放弃支付宝支付，没有扣款。可以换一种方式。",
    },
    "en": {
        "simulated": "Simulated cashier · no real money moves", "merchant": "Intermediary Supermarket · Payment Counter",
        "pay_to": "Payee", "order": "Order", "total": "Amount due", "choose": "Payment method", "card": "Bank card",
        "alipay": "Alipay", "wechat_pay": "WeChat Pay", "number": "Card number", "expiry": "Expiry",
        "expiry_hint": "MM / YY, such as 12/34", "cvc": "Security code", "cvc_hint": "3 digits on the back",
        "holder": "Name on card", "pay": "Pay", "back": "Back to the merchant",
        "alipay_text": "You will be taken to Alipay to authorise the payment and then brought back.",
        "alipay_go": "Continue to Alipay", "wechat_text": "A QR code is shown; scan it with WeChat to pay.",
        "wechat_go": "Show the QR code", "test_cards": "Test cards", "test_ok": "succeeds",
        "test_no": "declined by the bank", "test_poor": "insufficient funds",
        "test_hint": "Any future expiry, any three digits.", "until": "Please pay before",
        "powered": "Stripe Checkout, simulated on this machine", "alipay_title": "Alipay authorisation",
        "alipay_question": "Pay this merchant the following amount?", "authorise": "Authorise and pay",
        "refuse": "Do not pay", "wechat_title": "Pay by WeChat QR code", "wechat_scan": "Scan this code with WeChat",
        "simulate_scan": "Simulate scan", "phone_title": "WeChat Pay", "confirm_pay": "Confirm payment",
        "cancel": "Cancel", "waiting": "Waiting for the scan. This page moves on by itself once paid.",
        "done_title": "Payment complete", "done_text": "This has already been paid. Do not pay again.",
        "expired_title": "This cashier page has expired",
        "expired_text": "The time limit passed and nothing was charged. Go back to the merchant to start again.",
        "missing_title": "Cashier page not found",
        "missing_text": "The link is incomplete or no longer valid. Go back to the merchant to start again.",
        "to_merchant": "Back to the merchant", "declined": "Not paid", "language": "Language", "amount": "Amount",
        "card_declined": "The bank declined this payment and nothing was charged. Try another card or method.",
        "insufficient_funds": "Insufficient funds; nothing was charged. Try another card or method.",
        "expired_card": "This card has expired.", "incorrect_cvc": "The security code is wrong. Check it and try again.",
        "processing_error": "Something went wrong and nothing was charged. Try again in a little while.",
        "incorrect_number": "The card number is wrong. Check it and try again.",
        "invalid_expiry_month": "The expiry month is wrong (01-12).", "invalid_expiry_year": "The expiry year is over.",
        "refused_by_payer": "You chose not to pay with Alipay; nothing was charged. You can use another method.",
    },
}

SYMBOL = {"cny": "¥", "hkd": "HK$", "usd": "US$", "eur": "€"}


def amount_text(minor: int, currency: str) -> str:
    """``¥12,800.00``."""
    return f"{SYMBOL.get(currency, currency.upper() + ' ')}{minor // 100:,}.{minor % 100:02d}"


def language_of(chosen: str | None, session_locale: str | None, accepted: str) -> str:
    """The payer's choice, else the merchant's, else the browser's, else Chinese."""
    for candidate in (chosen, session_locale):
        if candidate and candidate != "auto":
            return "en" if candidate.startswith("en") else "zh"
    return "en" if accepted.lower().startswith("en") else "zh"
