package lambda

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// A member stands for a membership that ends after some confirmations.
type member struct {
	confirms int // how many are left
}

func newMember(confirms int) *member { return &member{confirms} }

func (m *member) Confirm(context.Context, int) error {
	if m.confirms == 0 {
		return eventlog.ErrNotMember
	}
	m.confirms--
	return nil
}

// removing removes a folder at every step whose name begins with prefix.
func removing(dir, prefix string) func(string) error {
	return func(step string) error {
		if strings.HasPrefix(step, prefix) {
			return os.RemoveAll(dir)
		}
		return nil
	}
}

// Ensure that a process whose open file was removed by the new owner of its partition says that it has lost
// the partition, and publishes nothing.
func TestLostPartitionIsTold(t *testing.T) {
	cfg := logConfig(t, startLog(t, 1))
	send(t, cfg.Log, disturbed(t, 1, 2, 20))
	cfg.fault = removing(cfg.masterTmp(), "sync")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.ErrorIs(t, ingestPartition(ctx, cfg, newMember(1), 0), eventlog.ErrNotMember)
	master, err := cfg.scanMaster()
	require.NoError(t, err)
	require.Empty(t, master)
}

// Ensure that a file or a folder that is gone is an error that names it while the partition is
// still this process's, and that nobody asks the group about a folder of the master dataset.
func TestRemovedUnderIngest(t *testing.T) {
	cfg := logConfig(t, startLog(t, 1))
	send(t, cfg.Log, disturbed(t, 1, 2, 20))
	f := func(dir, step string, confirms int, want ...string) {
		t.Helper()
		cfg.fault = removing(dir, step)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err := ingestPartition(ctx, cfg, newMember(confirms), 0)
		for _, text := range append(want, dir) {
			require.ErrorContains(t, err, text)
		}
	}
	f(cfg.masterTmp(), "sync", 2, "ingest partition 0: publish p000-", errRemoved.Error())
	f(cfg.masterTmp(), "rename", 2, "ingest partition 0: publish p000-", errRemoved.Error())
	f(cfg.masterDir(), "rename", 1, "ingest partition 0: publish p000-", "rename")
}

// Ensure that a process that was suspended, and has lost its partition meanwhile, leaves the new
// owner's open file alone.
func TestLostPartitionIsNotCleanedUp(t *testing.T) {
	cfg := logConfig(t, startLog(t, 1))
	open := filepath.Join(cfg.masterTmp(), "p000-1")
	require.NoError(t, os.MkdirAll(cfg.masterTmp(), 0o755))
	require.NoError(t, os.WriteFile(open, nil, 0o644))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.ErrorIs(t, ingestPartition(ctx, cfg, newMember(0), 0), eventlog.ErrNotMember)
	require.FileExists(t, open)
}
