"""Strangers at the doors that stand open to everybody: WeChat's callbacks."""
