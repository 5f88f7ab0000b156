/** What a night consists of: its models in order, and the maintenance that their tables need. */
export {};
