"""kuaidi100 (快递100): an aggregator that follows parcels of every carrier. It carries nothing itself.

Here it is a second source: its answers are opinions beside those of the carrier and never change a parcel's state.
"""
