package lambda

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

func TestConfigNamesTheField(t *testing.T) {
	f := func(want string, change func(*Config)) {
		t.Helper()
		cfg := DefaultConfig()
		cfg.Log, cfg.Dir = &eventlog.Log{}, "dir"
		change(&cfg)
		if want == "" {
			require.NoError(t, cfg.Validate())
			return
		}
		require.ErrorContains(t, cfg.Validate(), want)
	}
	f("", func(*Config) {})
	f("log", func(c *Config) { c.Log = nil })
	f("dir", func(c *Config) { c.Dir = "" })
	f(`version "v9": must be one of v1, v2, v3, v4`, func(c *Config) { c.Version = "v9" })
	f("roll rows 0", func(c *Config) { c.RollRows = 0 })
	f("interval 0s", func(c *Config) { c.Interval = 0 })
	f("roll interval -1ns", func(c *Config) { c.RollInterval = -1 })
	f("linger 0s", func(c *Config) { c.Linger = 0 })
	f("catch-up linger", func(c *Config) { c.CatchUpLinger = 0 })
	f("commit interval", func(c *Config) { c.CommitInterval = 0 })
	f("window 0s", func(c *Config) { c.Rules.Window = 0 })
}
