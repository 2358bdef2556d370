"""Words that every package uses: money, time, ids, errors, transactions, deeds, audit."""
