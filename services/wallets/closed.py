"""A wallet that was merged into another: closed for good, and never silently taken for the other one."""

from services.kit.db import Tx
from services.wallets.tables import access
from services.wallets.wallet import MERGED, Wallet, WalletMerged


async def must_not_be_merged(tx: Tx, wallet: Wallet) -> None:
    """Raises WalletMerged, which names the wallet that holds its value now."""
    if wallet.status == MERGED:
        raise WalletMerged(wallet=wallet.number, into=(await living(tx, wallet)).number)


async def living(tx: Tx, wallet: Wallet) -> Wallet:
    """The wallet that holds the value now: itself unless it was merged."""
    while wallet.status == MERGED:
        after = await access.next_of(tx, wallet.id)
        if after is None:
            raise AssertionError("a merged wallet names the one that it was merged into")
        wallet = after
    return wallet
