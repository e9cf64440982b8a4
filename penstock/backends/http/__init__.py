"""The upstream side: pools of HTTP/1.1 connections. The one place that opens a connection outward."""
