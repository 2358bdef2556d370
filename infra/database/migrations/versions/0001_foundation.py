"""The foundation: every table of the money path, its guards and the application's rights.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def create_tables() -> None:
    op.create_table('account',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_by', sa.Uuid(), nullable=True),
    sa.Column('password_changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('resident', 'merchant', 'city')", name=op.f('ck_account_kind')),
    sa.CheckConstraint("status IN ('active', 'disabled')", name=op.f('ck_account_status')),
    sa.CheckConstraint('(phone IS NULL) <> (email IS NULL)', name=op.f('ck_account_one_address')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account')),
    sa.UniqueConstraint('email', name=op.f('uq_account_email')),
    sa.UniqueConstraint('phone', name=op.f('uq_account_phone'))
    )
    op.create_table('audit_entry',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('actor_id', sa.Uuid(), nullable=True),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Uuid(), nullable=True),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('happened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    op.create_index(op.f('ix_audit_entry_subject_id'), 'audit_entry', ['subject_id'], unique=False)
    op.create_table('bank_file',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('paying_account', sa.Text(), nullable=False),
    sa.Column('transfer_date', sa.Date(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('transfers', sa.Integer(), nullable=False),
    sa.Column('total_yen', sa.BigInteger(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(), nullable=False),
    sa.Column('proposed_by', sa.Uuid(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('approved_by', sa.Uuid(), nullable=True),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withdrawal_asked_by', sa.Uuid(), nullable=True),
    sa.Column('withdrawal_asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withdrawn_by', sa.Uuid(), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(approved_by IS NOT NULL) = (status IN ('approved', 'sent', 'paid')) AND (approved_at IS NOT NULL) = (approved_by IS NOT NULL) AND (sent_at IS NOT NULL) = (status IN ('sent', 'paid')) AND (paid_at IS NOT NULL) = (status = 'paid')", name=op.f('ck_bank_file_steps')),
    sa.CheckConstraint("(withdrawal_asked_at IS NOT NULL) = (withdrawal_asked_by IS NOT NULL) AND (withdrawn_at IS NOT NULL) = (withdrawn_by IS NOT NULL) AND (withdrawal_asked_by IS NULL OR status <> 'proposed') AND (withdrawn_by IS NOT NULL) = (withdrawal_asked_by IS NOT NULL AND status = 'void')", name=op.f('ck_bank_file_withdrawal')),
    sa.CheckConstraint("status IN ('proposed', 'approved', 'sent', 'paid', 'void')", name=op.f('ck_bank_file_status')),
    sa.CheckConstraint('approved_by <> proposed_by', name=op.f('ck_bank_file_second_officer')),
    sa.CheckConstraint('withdrawn_by <> withdrawal_asked_by', name=op.f('ck_bank_file_two_withdraw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bank_file')),
    sa.UniqueConstraint('number', name=op.f('uq_bank_file_number'))
    )
    op.create_table('bought',
    sa.Column('wallet_id', sa.Uuid(), nullable=False),
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('bought_yen', sa.BigInteger(), nullable=False),
    sa.Column('cap_yen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('bought_yen BETWEEN 0 AND cap_yen', name=op.f('ck_bought_cap')),
    sa.PrimaryKeyConstraint('wallet_id', 'programme_id', name=op.f('pk_bought'))
    )
    op.create_table('code_use',
    sa.Column('code_id', sa.Uuid(), nullable=False),
    sa.Column('payment_id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('code_id', name=op.f('pk_code_use'))
    )
    op.create_table('deed',
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.Uuid(), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('result', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('account_id', 'key', name=op.f('pk_deed'))
    )
    op.create_table('ledger_journal',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('deed_id', sa.Uuid(), nullable=False),
    sa.Column('reverses_id', sa.Uuid(), nullable=True),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("kind IN ('cancel', 'channel_settled', 'close', 'correction', 'expiry', 'grant', 'late_money', 'money_returned', 'paid', 'payment', 'purchase', 'purchase_undone', 'refund', 'returned', 'sent')", name=op.f('ck_ledger_journal_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_journal')),
    sa.UniqueConstraint('reverses_id', name=op.f('uq_ledger_journal_reverses_id'))
    )
    op.create_index('ix_ledger_journal_deed', 'ledger_journal', ['deed_id'], unique=False)
    op.create_index('ix_ledger_journal_programme', 'ledger_journal', ['programme_id', 'effective_at'], unique=False)
    op.create_table('ledger_posting',
    sa.Column('journal_id', sa.Uuid(), nullable=False),
    sa.Column('line', sa.SmallInteger(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('owner_id', sa.Uuid(), nullable=True),
    sa.Column('amount_yen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("(owner_id IS NOT NULL) = (account IN ('payout_due', 'store_payable', 'store_receivable', 'wallet_paid', 'wallet_premium'))", name=op.f('ck_ledger_posting_owner')),
    sa.CheckConstraint("account IN ('bank', 'bank_clearing', 'breakage', 'cash_receivable', 'fee_income', 'fee_tax', 'funder_receivable', 'grant_receivable', 'payout_due', 'store_payable', 'store_receivable', 'suspense', 'wallet_paid', 'wallet_premium')", name=op.f('ck_ledger_posting_account')),
    sa.CheckConstraint('amount_yen <> 0', name=op.f('ck_ledger_posting_amount')),
    sa.PrimaryKeyConstraint('journal_id', 'line', name=op.f('pk_ledger_posting'))
    )
    op.create_index('ix_ledger_posting_owner', 'ledger_posting', ['owner_id', 'account'], unique=False, postgresql_where='owner_id IS NOT NULL')
    op.create_table('merchant',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('invoice_number', sa.Text(), nullable=True),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("status IN ('active', 'suspended')", name=op.f('ck_merchant_status')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_merchant')),
    sa.UniqueConstraint('number', name=op.f('uq_merchant_number'))
    )
    op.create_table('password_tries',
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('window_began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('email', name=op.f('pk_password_tries'))
    )
    op.create_table('payment',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('wallet_id', sa.Uuid(), nullable=False),
    sa.Column('store_id', sa.Uuid(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('amount_yen', sa.BigInteger(), nullable=False),
    sa.Column('balance_after_yen', sa.BigInteger(), nullable=False),
    sa.Column('acted_by', sa.Uuid(), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("mode IN ('cpm', 'mpm', 'till')", name=op.f('ck_payment_mode')),
    sa.CheckConstraint('amount_yen > 0', name=op.f('ck_payment_amount')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payment')),
    sa.UniqueConstraint('number', name=op.f('uq_payment_number'))
    )
    op.create_index('ix_payment_store_id', 'payment', ['store_id', 'id'], unique=False)
    op.create_index('ix_payment_wallet_id', 'payment', ['wallet_id', 'id'], unique=False)
    op.create_table('payment_allocation',
    sa.Column('leg_id', sa.Uuid(), nullable=False),
    sa.Column('lot_id', sa.Uuid(), nullable=False),
    sa.Column('turn', sa.SmallInteger(), nullable=False),
    sa.Column('paid_yen', sa.BigInteger(), nullable=False),
    sa.Column('premium_yen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('paid_yen >= 0 AND premium_yen >= 0 AND paid_yen + premium_yen > 0', name=op.f('ck_payment_allocation_parts')),
    sa.PrimaryKeyConstraint('leg_id', 'lot_id', name=op.f('pk_payment_allocation'))
    )
    op.create_table('payment_leg',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('deed_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('payment_id', sa.Uuid(), nullable=False),
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('store_id', sa.Uuid(), nullable=False),
    sa.Column('amount_yen', sa.BigInteger(), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('payment', 'cancel', 'refund')", name=op.f('ck_payment_leg_kind')),
    sa.CheckConstraint('amount_yen > 0', name=op.f('ck_payment_leg_amount')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payment_leg'))
    )
    op.create_index('ix_payment_leg_payment_id', 'payment_leg', ['payment_id'], unique=False)
    op.create_index('ix_payment_leg_programme_id', 'payment_leg', ['programme_id', 'effective_at'], unique=False)
    op.create_table('person',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person'))
    )
    op.create_table('programme',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('published_version', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_programme')),
    sa.UniqueConstraint('code', name=op.f('uq_programme_code'))
    )
    op.create_table('sign_in_code',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=False),
    sa.Column('code_mac', sa.LargeBinary(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tries_left', sa.Integer(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('tries_left >= 0', name=op.f('ck_sign_in_code_tries_left')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_code'))
    )
    op.create_index(op.f('ix_sign_in_code_phone'), 'sign_in_code', ['phone'], unique=False)
    op.create_table('spent_today',
    sa.Column('wallet_id', sa.Uuid(), nullable=False),
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('spent_yen', sa.BigInteger(), nullable=False),
    sa.Column('limit_yen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('spent_yen BETWEEN 0 AND limit_yen', name=op.f('ck_spent_today_limit')),
    sa.PrimaryKeyConstraint('wallet_id', 'programme_id', 'day', name=op.f('pk_spent_today'))
    )
    op.create_table('statement_claim',
    sa.Column('leg_id', sa.Uuid(), nullable=False),
    sa.Column('statement_id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('leg_id', name=op.f('pk_statement_claim'))
    )
    op.create_index(op.f('ix_statement_claim_statement_id'), 'statement_claim', ['statement_id'], unique=False)
    op.create_table('till_code',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('store_id', sa.Uuid(), nullable=False),
    sa.Column('amount_yen', sa.BigInteger(), nullable=False),
    sa.Column('made_by', sa.Uuid(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('amount_yen > 0', name=op.f('ck_till_code_amount')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_till_code')),
    sa.UniqueConstraint('number', name=op.f('uq_till_code_number'))
    )
    op.create_table('account_acts_for',
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('relation', sa.Text(), nullable=False),
    sa.CheckConstraint("relation IN ('self', 'guardian')", name=op.f('ck_account_acts_for_relation')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_account_acts_for_account_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_account_acts_for_person_id')),
    sa.PrimaryKeyConstraint('account_id', 'person_id', name=op.f('pk_account_acts_for'))
    )
    op.create_index(op.f('ix_account_acts_for_person_id'), 'account_acts_for', ['person_id'], unique=False)
    op.create_table('account_role',
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.CheckConstraint("role IN ('officer', 'approver', 'auditor')", name=op.f('ck_account_role_role')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_account_role_account_id')),
    sa.PrimaryKeyConstraint('account_id', 'role', name=op.f('pk_account_role'))
    )
    op.create_table('ledger_seal',
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('journal_id', sa.Uuid(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['journal_id'], ['ledger_journal.id'], name=op.f('fk_ledger_seal_journal_id')),
    sa.PrimaryKeyConstraint('position', name=op.f('pk_ledger_seal')),
    sa.UniqueConstraint('journal_id', name=op.f('uq_ledger_seal_journal_id'))
    )
    op.create_table('money_in',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('amount_yen', sa.BigInteger(), nullable=False),
    sa.Column('recorded_by', sa.Uuid(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("source IN ('channel', 'funder', 'grant_budget')", name=op.f('ck_money_in_source')),
    sa.CheckConstraint('amount_yen > 0', name=op.f('ck_money_in_amount')),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_money_in_programme_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_money_in'))
    )
    op.create_table('payment_return',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('payment_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('amount_yen', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('acted_by', sa.Uuid(), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('cancel', 'refund')", name=op.f('ck_payment_return_kind')),
    sa.CheckConstraint('amount_yen > 0', name=op.f('ck_payment_return_amount')),
    sa.ForeignKeyConstraint(['payment_id'], ['payment.id'], name=op.f('fk_payment_return_payment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payment_return')),
    sa.UniqueConstraint('number', name=op.f('uq_payment_return_number'))
    )
    op.create_index(op.f('ix_payment_return_payment_id'), 'payment_return', ['payment_id'], unique=False)
    op.create_table('payment_returned',
    sa.Column('payment_id', sa.Uuid(), nullable=False),
    sa.Column('paid_yen', sa.BigInteger(), nullable=False),
    sa.Column('returned_yen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('returned_yen BETWEEN 0 AND paid_yen', name=op.f('ck_payment_returned_returned')),
    sa.ForeignKeyConstraint(['payment_id'], ['payment.id'], name=op.f('fk_payment_returned_payment_id')),
    sa.PrimaryKeyConstraint('payment_id', name=op.f('pk_payment_returned'))
    )
    op.create_table('payout_account',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('merchant_id', sa.Uuid(), nullable=False),
    sa.Column('bank_code', sa.Text(), nullable=False),
    sa.Column('bank_kana', sa.Text(), nullable=False),
    sa.Column('branch_code', sa.Text(), nullable=False),
    sa.Column('branch_kana', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('holder_kana', sa.Text(), nullable=False),
    sa.Column('override_reason', sa.Text(), nullable=True),
    sa.Column('set_by', sa.Uuid(), nullable=False),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['merchant_id'], ['merchant.id'], name=op.f('fk_payout_account_merchant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payout_account'))
    )
    op.create_index('ix_payout_account_merchant_id', 'payout_account', ['merchant_id', 'valid_from'], unique=False)
    op.create_table('programme_approval',
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('proposed_by', sa.Uuid(), nullable=False),
    sa.Column('approved_by', sa.Uuid(), nullable=False),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('approved_by <> proposed_by', name=op.f('ck_programme_approval_second_officer')),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_programme_approval_programme_id')),
    sa.PrimaryKeyConstraint('programme_id', 'version', name=op.f('pk_programme_approval'))
    )
    op.create_table('programme_stock',
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('total_units', sa.BigInteger(), nullable=False),
    sa.Column('reserved_units', sa.BigInteger(), nullable=False),
    sa.Column('sold_units', sa.BigInteger(), nullable=False),
    sa.Column('grant_budget_points', sa.BigInteger(), nullable=False),
    sa.Column('granted_points', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('granted_points BETWEEN 0 AND grant_budget_points', name=op.f('ck_programme_stock_grants')),
    sa.CheckConstraint('reserved_units + sold_units <= total_units', name=op.f('ck_programme_stock_units')),
    sa.CheckConstraint('reserved_units >= 0 AND sold_units >= 0', name=op.f('ck_programme_stock_not_negative')),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_programme_stock_programme_id')),
    sa.PrimaryKeyConstraint('programme_id', name=op.f('pk_programme_stock'))
    )
    op.create_table('programme_version',
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('terms', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('proposed_by', sa.Uuid(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_programme_version_programme_id')),
    sa.PrimaryKeyConstraint('programme_id', 'version', name=op.f('pk_programme_version'))
    )
    op.create_table('settlement_close',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('closing_date', sa.Date(), nullable=False),
    sa.Column('cutoff_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('transfer_date', sa.Date(), nullable=False),
    sa.Column('final', sa.Boolean(), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_settlement_close_programme_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_settlement_close')),
    sa.UniqueConstraint('programme_id', 'closing_date', name=op.f('uq_settlement_close_programme_id_closing_date'))
    )
    op.create_table('store',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('merchant_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_latin', sa.Text(), nullable=False),
    sa.Column('store_class', sa.Text(), nullable=False),
    sa.Column('mcc', sa.Text(), nullable=False),
    sa.Column('postal_code', sa.Text(), nullable=False),
    sa.Column('city_latin', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("status IN ('active', 'suspended')", name=op.f('ck_store_status')),
    sa.CheckConstraint("store_class IN ('large', 'small')", name=op.f('ck_store_store_class')),
    sa.ForeignKeyConstraint(['merchant_id'], ['merchant.id'], name=op.f('fk_store_merchant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_store')),
    sa.UniqueConstraint('code', name=op.f('uq_store_code'))
    )
    op.create_index(op.f('ix_store_merchant_id'), 'store', ['merchant_id'], unique=False)
    op.create_table('wallet',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("status IN ('active', 'suspended')", name=op.f('ck_wallet_status')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_wallet_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wallet')),
    sa.UniqueConstraint('number', name=op.f('uq_wallet_number')),
    sa.UniqueConstraint('person_id', name=op.f('uq_wallet_person_id'))
    )
    op.create_table('bank_transfer',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('bank_file_id', sa.Uuid(), nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('payout_account_id', sa.Uuid(), nullable=False),
    sa.Column('amount_yen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount_yen > 0', name=op.f('ck_bank_transfer_amount')),
    sa.ForeignKeyConstraint(['bank_file_id'], ['bank_file.id'], name=op.f('fk_bank_transfer_bank_file_id')),
    sa.ForeignKeyConstraint(['payout_account_id'], ['payout_account.id'], name=op.f('fk_bank_transfer_payout_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bank_transfer')),
    sa.UniqueConstraint('bank_file_id', 'line', name=op.f('uq_bank_transfer_bank_file_id_line'))
    )
    op.create_table('device',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('wallet_id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('public_jwk', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("status IN ('active', 'blocked')", name=op.f('ck_device_status')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_device_account_id')),
    sa.ForeignKeyConstraint(['wallet_id'], ['wallet.id'], name=op.f('fk_device_wallet_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device'))
    )
    op.create_index(op.f('ix_device_wallet_id'), 'device', ['wallet_id'], unique=False)
    op.create_table('lot',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('wallet_id', sa.Uuid(), nullable=False),
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('programme_version', sa.Integer(), nullable=False),
    sa.Column('purse', sa.Text(), nullable=False),
    sa.Column('store_classes', sa.Text(), nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('origin_id', sa.Uuid(), nullable=False),
    sa.Column('paid_issued_yen', sa.BigInteger(), nullable=False),
    sa.Column('premium_issued_yen', sa.BigInteger(), nullable=False),
    sa.Column('paid_yen', sa.BigInteger(), nullable=False),
    sa.Column('premium_yen', sa.BigInteger(), nullable=False),
    sa.Column('payment_limit_yen', sa.BigInteger(), nullable=False),
    sa.Column('day_limit_yen', sa.BigInteger(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('usable_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('first_expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("origin IN ('purchase', 'grant')", name=op.f('ck_lot_origin')),
    sa.CheckConstraint('paid_yen BETWEEN 0 AND paid_issued_yen', name=op.f('ck_lot_paid')),
    sa.CheckConstraint('premium_yen BETWEEN 0 AND premium_issued_yen', name=op.f('ck_lot_premium')),
    sa.ForeignKeyConstraint(['wallet_id'], ['wallet.id'], name=op.f('fk_lot_wallet_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lot'))
    )
    op.create_index('ix_lot_expiring', 'lot', ['expires_at'], unique=False, postgresql_where='paid_yen + premium_yen > 0')
    op.create_index(op.f('ix_lot_origin_id'), 'lot', ['origin_id'], unique=False)
    op.create_index('ix_lot_wallet_id', 'lot', ['wallet_id'], unique=False)
    op.create_table('purchase',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('wallet_id', sa.Uuid(), nullable=False),
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('programme_version', sa.Integer(), nullable=False),
    sa.Column('units', sa.Integer(), nullable=False),
    sa.Column('price_yen', sa.BigInteger(), nullable=False),
    sa.Column('received_yen', sa.BigInteger(), nullable=True),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('checkout_id', sa.Text(), nullable=True),
    sa.Column('reserved_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reserved_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('money_returned_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status IN ('reserved', 'paid', 'lapsed', 'late', 'returned', 'undone')", name=op.f('ck_purchase_status')),
    sa.CheckConstraint('received_yen > 0', name=op.f('ck_purchase_received')),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_purchase_programme_id')),
    sa.ForeignKeyConstraint(['wallet_id'], ['wallet.id'], name=op.f('fk_purchase_wallet_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_purchase')),
    sa.UniqueConstraint('checkout_id', name=op.f('uq_purchase_checkout_id')),
    sa.UniqueConstraint('number', name=op.f('uq_purchase_number'))
    )
    op.create_index('ix_purchase_open', 'purchase', ['id'], unique=False, postgresql_where="status IN ('reserved', 'late') OR (status = 'undone' AND money_returned_at IS NULL)")
    op.create_index(op.f('ix_purchase_wallet_id'), 'purchase', ['wallet_id'], unique=False)
    op.create_table('statement',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('close_id', sa.Uuid(), nullable=False),
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('store_id', sa.Uuid(), nullable=False),
    sa.Column('merchant_id', sa.Uuid(), nullable=False),
    sa.Column('payments', sa.Integer(), nullable=False),
    sa.Column('gross_yen', sa.BigInteger(), nullable=False),
    sa.Column('cancelled_yen', sa.BigInteger(), nullable=False),
    sa.Column('refunded_yen', sa.BigInteger(), nullable=False),
    sa.Column('fee_bp', sa.Integer(), nullable=False),
    sa.Column('tax_bp', sa.Integer(), nullable=False),
    sa.Column('fee_yen', sa.BigInteger(), nullable=False),
    sa.Column('fee_tax_yen', sa.BigInteger(), nullable=False),
    sa.Column('net_yen', sa.BigInteger(), nullable=False),
    sa.Column('carried_in_yen', sa.BigInteger(), nullable=False),
    sa.Column('receivable_in_yen', sa.BigInteger(), nullable=False),
    sa.Column('payout_yen', sa.BigInteger(), nullable=False),
    sa.Column('carried_out_yen', sa.BigInteger(), nullable=False),
    sa.Column('receivable_out_yen', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['close_id'], ['settlement_close.id'], name=op.f('fk_statement_close_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statement')),
    sa.UniqueConstraint('close_id', 'store_id', name=op.f('uq_statement_close_id_store_id')),
    sa.UniqueConstraint('number', name=op.f('uq_statement_number'))
    )
    op.create_index('ix_statement_programme_id', 'statement', ['programme_id', 'store_id'], unique=False)
    op.create_index(op.f('ix_statement_store_id'), 'statement', ['store_id'], unique=False)
    op.create_table('store_member',
    sa.Column('store_id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=True),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("role IN ('owner', 'manager', 'clerk')", name=op.f('ck_store_member_role')),
    sa.CheckConstraint("status IN ('active', 'disabled')", name=op.f('ck_store_member_status')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_store_member_account_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_store_member_person_id')),
    sa.ForeignKeyConstraint(['store_id'], ['store.id'], name=op.f('fk_store_member_store_id')),
    sa.PrimaryKeyConstraint('store_id', 'account_id', name=op.f('pk_store_member'))
    )
    op.create_index(op.f('ix_store_member_account_id'), 'store_member', ['account_id'], unique=False)
    op.create_table('wallet_grant',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('batch_id', sa.Uuid(), nullable=False),
    sa.Column('wallet_id', sa.Uuid(), nullable=False),
    sa.Column('programme_id', sa.Uuid(), nullable=False),
    sa.Column('purse', sa.Text(), nullable=False),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('granted_by', sa.Uuid(), nullable=False),
    sa.Column('granted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_wallet_grant_programme_id')),
    sa.ForeignKeyConstraint(['wallet_id'], ['wallet.id'], name=op.f('fk_wallet_grant_wallet_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wallet_grant'))
    )
    op.create_index(op.f('ix_wallet_grant_batch_id'), 'wallet_grant', ['batch_id'], unique=False)
    op.create_table('expiry',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('lot_id', sa.Uuid(), nullable=False),
    sa.Column('wallet_id', sa.Uuid(), nullable=False),
    sa.Column('paid_yen', sa.BigInteger(), nullable=False),
    sa.Column('premium_yen', sa.BigInteger(), nullable=False),
    sa.Column('expired_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name=op.f('fk_expiry_lot_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_expiry'))
    )
    op.create_index(op.f('ix_expiry_lot_id'), 'expiry', ['lot_id'], unique=False)
    op.create_table('payout',
    sa.Column('statement_id', sa.Uuid(), nullable=False),
    sa.Column('transfer_id', sa.Uuid(), nullable=False),
    sa.Column('voided_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.id'], name=op.f('fk_payout_statement_id')),
    sa.ForeignKeyConstraint(['transfer_id'], ['bank_transfer.id'], name=op.f('fk_payout_transfer_id')),
    sa.PrimaryKeyConstraint('statement_id', 'transfer_id', name=op.f('pk_payout'))
    )
    op.create_index(op.f('ix_payout_transfer_id'), 'payout', ['transfer_id'], unique=False)
    op.create_index('uq_payout_live', 'payout', ['statement_id'], unique=True, postgresql_where='voided_at IS NULL')


ZERO_SUM = """
CREATE FUNCTION ledger_refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT journal_id INTO wrong FROM written GROUP BY journal_id HAVING sum(amount_yen) <> 0 LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'journal % does not sum to zero', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_zero_sum';
    END IF;
    RETURN NULL;
END
$$
"""

ZERO_SUM_TRIGGER = """
CREATE TRIGGER ledger_zero_sum AFTER INSERT ON ledger_posting
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_unbalanced()
"""

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is written once and never altered', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$
"""

WRITTEN_ONCE = (
    "ledger_journal",
    "ledger_posting",
    "ledger_seal",
    "audit_entry",
    "programme_version",
    "programme_approval",
    "payment",
    "payment_leg",
    "payment_allocation",
    "payment_return",
    "code_use",
    "till_code",
    "wallet_grant",
    "expiry",
    "settlement_close",
    "statement",
    "statement_claim",
    "bank_transfer",
    "money_in",
    "payout_account",
    "deed",
)
"""Tables that only grow: the application may read and insert, and a trigger stops everyone else."""

ALTERABLE = {
    "person": (),
    "account": ("password_hash", "password_changed_at", "name", "status"),
    "account_acts_for": (),
    "account_role": (),
    "sign_in_code": ("tries_left", "used_at"),
    "password_tries": ("window_began_at", "tries"),
    "programme": ("published_version",),
    "programme_stock": ("total_units", "reserved_units", "sold_units", "grant_budget_points", "granted_points"),
    "merchant": ("name", "invoice_number", "status"),
    "store": ("name", "name_latin", "store_class", "mcc", "postal_code", "city_latin", "status"),
    "store_member": ("person_id", "role", "status"),
    "wallet": ("status",),
    "device": ("name", "status"),
    "lot": ("paid_yen", "premium_yen", "expires_at"),
    "spent_today": ("spent_yen", "limit_yen"),
    "bought": ("bought_yen", "cap_yen"),
    "purchase": (
        "status",
        "checkout_id",
        "reserved_until",
        "paid_at",
        "ended_at",
        "received_yen",
        "money_returned_at",
    ),
    "payment_returned": ("returned_yen",),
    "bank_file": (
        "status",
        "approved_by",
        "approved_at",
        "sent_at",
        "paid_at",
        "withdrawal_asked_by",
        "withdrawal_asked_at",
        "withdrawn_by",
        "withdrawn_at",
    ),
    "payout": ("voided_at",),
}
"""Tables with living columns: exactly these may change, and no row is ever deleted."""


def guard_tables() -> None:
    op.execute(ZERO_SUM)
    op.execute(ZERO_SUM_TRIGGER)
    op.execute(APPEND_ONLY)
    for table in WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def grant_rights() -> None:
    for table in WRITTEN_ONCE:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO tanabata_app")
    for table, columns in ALTERABLE.items():
        op.execute(f"GRANT SELECT, INSERT ON {table} TO tanabata_app")
        if columns:
            op.execute(f"GRANT UPDATE ({', '.join(columns)}) ON {table} TO tanabata_app")


def upgrade() -> None:
    create_tables()
    guard_tables()
    grant_rights()
