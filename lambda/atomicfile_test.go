package lambda

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that content is durable before it has its name, and after that every folder from there up
// to the root of the dataset, whoever has created it. (Invariant 2.)
func TestPublishIsDurable(t *testing.T) {
	cfg := testConfig(t)
	var mu sync.Mutex
	var steps []string
	cfg.fault = func(step string) error {
		mu.Lock()
		defer mu.Unlock()
		verb, path, _ := strings.Cut(step, " ")
		if filepath.IsAbs(path) {
			var err error
			path, err = filepath.Rel(cfg.Dir, path)
			require.NoError(t, err)
		}
		path = randomName.ReplaceAllString(filepath.ToSlash(path), "$1-*")
		steps = append(steps, verb+" "+path)
		return nil
	}
	f := func(want ...string) {
		t.Helper()
		require.Equal(t, want, steps)
		steps = nil
	}
	records := disturbed(t, 1, 2, 20)
	file, hour := segmentName(0, 0, 10), "master/date=1970-01-01/hour=00"
	ingestAll(t, cfg, records[:10])
	f("sync tmp/p000-*", "rename "+file,
		"sync "+hour, "sync master/date=1970-01-01", "sync master", "sync .")
	ingestAll(t, cfg, records[10:20])
	f("sync tmp/p000-*", "rename "+segmentName(0, 10, 20),
		"sync "+hour, "sync master/date=1970-01-01", "sync master", "sync .")

	_, err := runBatch(context.Background(), cfg, 1)
	require.NoError(t, err)
	at := len(steps) - 4 // the files of the generation stand before it, in any order
	for _, step := range steps[:at] {
		require.Regexp(t, `^sync views/tmp-\*/.*\.(parquet|json)$`, step)
	}
	steps = steps[at:]
	f("sync views/tmp-*", "rename gen-000001", "sync views", "sync .")
}

// randomName is what a file or a folder is called while it is written aside.
var randomName = regexp.MustCompile(`^(tmp/p\d+|views/tmp)-\d+`)
