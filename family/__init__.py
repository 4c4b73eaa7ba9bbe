"""Who may act for whom: guardians of children, proxies of adults, and what age ends."""
