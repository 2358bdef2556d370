"""The lake: declared frames as date-partitioned Parquet under a manifest that is written last."""
