"""DL/T 645 meters: the remote one of 2007, the one with a purse, and the one of 1997."""

from .errors import Refusal
from .meter import Dlt645Meter
from .old import OldMeter
from .purse import PurseMeter

__all__ = ["Dlt645Meter", "OldMeter", "PurseMeter", "Refusal"]
