package eventlog

import "context"

// Stage is the half of [Transactor.Commit] after which a process may be gone.
func (t *Transactor) Stage(ctx context.Context, m *Member, partition int, c Commit) error {
	return t.stage(ctx, m, partition, c)
}
