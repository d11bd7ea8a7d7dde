"""Tests of proposed rosters: no database, and every answer is checked against trying everything."""
