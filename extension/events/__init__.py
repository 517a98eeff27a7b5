"""Judgement: captions and policy become events with time, objects and place."""
