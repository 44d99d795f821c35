-- 0003: a member's team is one of his own organization. Not breaking.
alter table team.team add constraint team_of_organization unique (organization_id, id);
alter table team.membership
  drop constraint membership_team_id_fkey,
  add constraint team_is_of_the_same_organization foreign key (organization_id, team_id) references team.team (organization_id, id);
