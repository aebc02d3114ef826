package eventlog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// Ensure that a password in the URL of a registry is refused, by an error that does not repeat it.
func TestCheckRegistry(t *testing.T) {
	require.NoError(t, eventlog.CheckRegistry("https://registry:8081/path"))
	for _, url := range []string{"https://key:s3cret@registry", "http://key@registry:8081"} {
		err := eventlog.CheckRegistry(url)
		require.ErrorContains(t, err, "LAMBDAKAPPA_REGISTRY_USER_INFO")
		require.NotContains(t, err.Error(), "s3cret")
	}
	for _, url := range []string{"", "registry:8081", "ftp://registry", "http://"} {
		require.ErrorContains(t, eventlog.CheckRegistry(url), "is not an http:// or https:// URL", url)
	}
}
