"""Fragmented MP4 as HLS and MSE take it: ISO/IEC 14496-12 boxes, written. Values in, bytes out."""
