"""Commands of `tanabata insight`, one file each; `infra.commands.insight` names them."""
