-- 0002: the table's policies come from their one definition. Not breaking.
select platform.tenant_table('identity.api_key');
