"""Pure decisions of the marketplace: functions of values, no clock, no session, no request."""
