package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

const compose = "../../docker-compose.yml"

// A composition is what the tests look at of docker-compose.yml.
type composition struct {
	Services map[string]struct {
		Image       string
		Command     string
		DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
		Environment map[string]any
		Volumes     []string
		Ports       []string
		Healthcheck map[string]any
		Deploy      struct {
			Resources struct{ Limits struct{ CPUs, Memory string } }
		}
	}
	Volumes map[string]any
}

func readCompose(t *testing.T) composition {
	t.Helper()
	raw, err := os.ReadFile(compose)
	require.NoError(t, err)
	var c composition
	// A key beside a merge replaces the merged one, which to this decoder is a key twice.
	require.NoError(t, yaml.UnmarshalWithOptions(raw, &c, yaml.AllowDuplicateMapKey()))
	require.NotEmpty(t, c.Services)
	return c
}

// Ensure that Compose itself takes the file: its own loader holds it against the schema of the Compose
// specification, fills variables in, and looks whether what is named is there. It refuses what is not.
func TestComposeLoads(t *testing.T) {
	load := func(change func(string) string) error {
		raw, err := os.ReadFile(compose)
		require.NoError(t, err)
		_, err = loader.LoadWithContext(t.Context(), types.ConfigDetails{
			WorkingDir:  filepath.Dir(compose),
			ConfigFiles: []types.ConfigFile{{Filename: compose, Content: []byte(change(string(raw)))}},
			Environment: types.NewMapping(nil),
		}, func(o *loader.Options) { o.SetProjectName("lambdakappa", true) })
		return err
	}
	require.NoError(t, load(func(text string) string { return text }))
	f := func(from, to, want string) {
		t.Helper()
		require.ErrorContains(t, load(func(text string) string {
			require.Contains(t, text, from)
			return strings.Replace(text, from, to, 1)
		}), want)
	}
	f("healthcheck:", "healthchek:", "healthchek")
	f("services:", "volumes_: {}\nservices:", "volumes_")
}

// Ensure that the command line of every component is one: the program itself takes it apart.
func TestComposeCommandLines(t *testing.T) {
	checked := 0
	for name, s := range readCompose(t).Services {
		if s.Image != "lambdakappa" {
			continue
		}
		checked++
		root := (&app{}).root()
		command, rest, err := root.Find(strings.Fields(s.Command))
		require.NoError(t, err, name)
		require.True(t, command.Runnable(), "%s: %s is no command", name, s.Command)
		require.NoError(t, command.ParseFlags(rest), name)
		require.NoError(t, command.ValidateArgs(command.Flags().Args()), name)
		require.NoError(t, command.ValidateRequiredFlags(), name)
	}
	require.Equal(t, 7, checked)
}

// Ensure that whatever a service names is there, that nothing is published beyond loopback, that every
// service has limits and a fixed version, and that whatever answers is asked whether it does.
func TestComposeReferences(t *testing.T) {
	c := readCompose(t)
	for name, s := range c.Services {
		for other, on := range s.DependsOn {
			require.Contains(t, c.Services, other, name)
			require.Equal(t, "service_healthy", on.Condition, name)
			require.NotEmpty(t, c.Services[other].Healthcheck, "%s waits for the health of %s", name, other)
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if strings.HasPrefix(from, ".") {
				require.FileExists(t, filepath.Join("../..", from), name)
				require.True(t, strings.HasSuffix(v, ":ro"), "%s: %s is the project's own", name, v)
			} else {
				require.Contains(t, c.Volumes, from, name)
			}
		}
		for _, p := range s.Ports {
			require.True(t, strings.HasPrefix(p, "127.0.0.1:"), "%s: %s", name, p)
			require.NotEmpty(t, s.Healthcheck, "%s answers", name)
		}
		require.NotEmpty(t, s.Deploy.Resources.Limits.Memory, name)
		require.NotEmpty(t, s.Deploy.Resources.Limits.CPUs, name)
		if s.Image != "lambdakappa" { // that is built here
			require.Regexp(t, `:v?\d+\.\d+\.\d+$`, s.Image, name)
		}
		for key, value := range s.Environment {
			require.NotRegexp(t, `(?i)password|secret`, key, "%s: %v", name, value)
		}
	}
}

// Ensure that the dashboard and its sources name each other, and only metrics that there are.
func TestDashboard(t *testing.T) {
	deploy := "../../deploy/"
	raw, err := os.ReadFile(deploy + "grafana/lambdakappa.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title      string
			Datasource struct{ UID string }
			Targets    []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &dashboard))
	require.NotEmpty(t, dashboard.Panels)
	var sources struct {
		Datasources []struct{ UID, URL string }
	}
	readYAML(t, deploy+"grafana/datasource.yml", &sources)
	known := metricNames(t)
	metric := regexp.MustCompile(`\b(?:lambdakappa|process)_\w+`)
	for _, p := range dashboard.Panels {
		require.Equal(t, sources.Datasources[0].UID, p.Datasource.UID, p.Title)
		for _, target := range p.Targets {
			names := metric.FindAllString(target.Expr, -1)
			require.NotEmpty(t, names, target.Expr)
			for _, name := range names {
				require.Contains(t, known, name, p.Title)
			}
		}
	}
	var scraping struct {
		Scrapes []struct {
			Configs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, deploy+"prometheus.yml", &scraping)
	services := readCompose(t).Services
	for _, s := range scraping.Scrapes {
		service, port, _ := strings.Cut(s.Configs[0].Targets[0], ":")
		require.Contains(t, services, service)
		require.Contains(t, services[service].Command, ":"+port)
	}
}

// metricNames are what a serving component that has answers says of itself.
func metricNames(t *testing.T) (names []string) {
	log := startBroker(t)
	events := append(log, "datagen", "--cars", "10", "--rate", "10", "--duration", "30s", "--speedup", "0")
	require.Equal(t, exitOK, do(t, events...).code)
	start(t, nil, append([]string{"kappa", "process"}, log...)...).await(t, "ready")
	serving := start(t, nil, append([]string{"kappa", "serve", "--listen", "127.0.0.1:0"}, log...)...)
	addr := serving.await(t, "listening")["addr"].(string)
	line := regexp.MustCompile(`(?m)^(\w+)`)
	require.Eventually(t, func() bool {
		answer, err := http.Get("http://" + addr + "/metrics")
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		names = line.FindAllString(string(text), -1)
		return slices.Contains(names, "lambdakappa_watermark_seconds") && slices.Contains(names, "lambdakappa_http_requests_total")
	}, limit, 50*time.Millisecond)
	return names
}

func readYAML(t *testing.T, path string, v any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(raw, v))
}
