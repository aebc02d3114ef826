package bench

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if build.path != "" {
		_ = os.Remove(build.path)
	}
	os.Exit(code)
}
