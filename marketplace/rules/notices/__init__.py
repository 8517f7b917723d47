"""What a purchase notice (采购公告) may say, and what a change of it means: pure rules over its text."""
