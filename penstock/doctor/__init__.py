"""``penstock doctor``: what stands in the way of a server with these settings, each finding with its remedy.

A check is a function from ``Subject`` to findings; ``examine.CHECKS`` lists them. Checks change nothing that lasts and
know nothing of one another. They run in threads of their own, so each may block.
"""
