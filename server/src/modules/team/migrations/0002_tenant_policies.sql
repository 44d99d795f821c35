-- 0002: the tables' policies come from their one definition. Not breaking.
select platform.tenant_table('team.organization', 'id');
select platform.tenant_table('team.team');
select platform.tenant_table('team.membership');
