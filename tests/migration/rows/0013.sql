UPDATE enrolment SET login = agent || '~2', former_login = agent, former_hash = '$7$101$c2FsdA==$aGFzaA==',
    former_until = '2026-03-02 08:00Z'
WHERE credential = 'password' AND revoked_at IS NULL;
