package report

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/bench/result"
)

const schemaFile = "../../results/schema.json"

func summarySchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	require.NoError(t, err)
	return schema
}

func validate(schema *jsonschema.Schema, raw []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// Ensure that the schema takes what is written, whatever is in it.
func TestSchemaTakesGeneratedSummaries(t *testing.T) {
	schema := summarySchema(t)
	rapid.Check(t, func(rt *rapid.T) {
		raw, err := json.Marshal(drawSummary(rt))
		require.NoError(rt, err)
		require.NoError(rt, validate(schema, raw), string(raw))
	})
}

func drawSummary(rt *rapid.T) result.Summary {
	number := rapid.Float64Range(0, 1e12)
	count := rapid.Int64Range(0, 1<<40)
	quantiles := func(label string) result.Quantiles {
		figure := func(name string) *float64 { return rapid.Ptr(number, true).Draw(rt, label+name) }
		return result.Quantiles{
			Count: count.Draw(rt, label), P50: figure("p50"), P90: figure("p90"), P99: figure("p99"),
			P999: figure("p999"), Max: figure("max"), Spectrum: [][2]float64{{50, number.Draw(rt, "ms")}},
		}
	}
	run := result.Run{
		Scenario:   rapid.String().Draw(rt, "scenario"),
		Arm:        rapid.SampledFrom([]string{"lambda", "kappa", "both", "control"}).Draw(rt, "arm"),
		Phase:      rapid.SampledFrom([]string{"", "batch", "log_to_served", "replay"}).Draw(rt, "phase"),
		Repetition: 1, Seed: rapid.Uint64().Draw(rt, "seed"), Events: count.Draw(rt, "events"),
		OK: rapid.Bool().Draw(rt, "ok"), Void: rapid.String().Draw(rt, "void"),
		Checks: []result.Check{{Name: rapid.String().Draw(rt, "check")}},
	}
	if rapid.Bool().Draw(rt, "figures") {
		fresh, alert := quantiles("fresh"), quantiles("alert")
		run.LatencyMs = &result.Latencies{Visible: quantiles("visible"), Query: quantiles("query"), Alert: &alert}
		run.FreshnessMs = &fresh
		run.FreshnessLayers = []result.LayerFresh{{Layer: "batch", Quantiles: quantiles("batch")}}
		run.Cost = &result.Cost{CPUSecondsPerMillionEvents: number.Draw(rt, "cpu")}
		run.Components = []result.Component{{Name: "broker", Starts: 1}}
		run.Series = []result.Series{{Name: "s", Points: [][2]float64{{0, 1}}}}
		run.Marks = []result.Mark{{Name: "m", From: 1, To: 2}}
		run.RestoreMs = rapid.Ptr(number, true).Draw(rt, "restore")
	}
	median := rapid.Ptr(number, true).Draw(rt, "median")
	scenario := result.Scenario{
		Name: "mine", Slides: []int{7}, Sources: []string{"Kreps"}, Verdict: "supports", Lean: "supports",
		Published: []result.Published{{Source: "Netflix", Says: "5 h"}}, Headline: []string{"throughput"},
		Rulings: []result.Ruling{{
			Rule: "r", Figure: "f", Value: median, Low: median, High: median, Verdict: "supports",
			Arms: []result.ArmFigure{{Arm: "kappa", Unit: "s", Median: median, Runs: 6}},
		}},
		Reference: &result.Reference{Verdict: "supports", Agreement: "agrees"},
	}
	run.Figures = []result.Figure{{Name: "lost", Value: number.Draw(rt, "lost")}}
	run.Parameter = &result.Parameter{Name: "rate", Unit: "events/s", Value: 1}
	return result.Summary{
		SchemaVersion: result.SchemaVersion, Started: "20261122T233000Z", Profile: "quick",
		Broker: result.Broker{Kind: "embedded"}, Runs: []result.Run{run},
		Scenarios: []result.Scenario{scenario},
		CodeSize: map[string]result.CodeSize{"lambda": {
			PerFile: []result.FileSize{{File: "a.go"}}, ComplexityPerFunc: []int{1}, Operators: map[string]int{"topics": 4},
			Changes: map[string]result.ChangeCost{"bugfix": {Places: 3}},
		}},
		RawLimits: &result.RawLimits{}, Interrupted: rapid.Bool().Draw(rt, "interrupted"),
	}
}

// Ensure that the summaries that the other tests draw are ones that a driver could have written,
// and that the hostile one, with an arm that does not exist, is not.
func TestSchemaTakesFixtures(t *testing.T) {
	schema := summarySchema(t)
	for _, name := range fixtures {
		raw, err := os.ReadFile("testdata/" + name + ".json")
		require.NoError(t, err)
		if err := validate(schema, raw); name == "hostile" {
			require.ErrorContains(t, err, "arm")
		} else {
			require.NoError(t, err, name)
		}
	}
}

// Ensure that every field of the summary stands in the schema with a description, and nothing
// else: a field that nobody documented is a field that nobody can trust.
func TestSchemaDocumentsEveryField(t *testing.T) {
	raw, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	var root map[string]any
	require.NoError(t, json.Unmarshal(raw, &root))
	documented(t, root, root, reflect.TypeFor[result.Summary](), "summary")
}

func documented(t *testing.T, root, node map[string]any, of reflect.Type, path string) {
	t.Helper()
	about := node["description"]
	if ref, ok := node["$ref"].(string); ok {
		node = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	require.True(t, about != nil || node["description"] != nil, "%s has no description", path)
	switch of.Kind() {
	case reflect.Pointer:
		documented(t, root, node, of.Elem(), path)
	case reflect.Slice:
		documented(t, root, node["items"].(map[string]any), of.Elem(), path+"[]")
	case reflect.Struct:
		properties := node["properties"].(map[string]any)
		fields := reflect.VisibleFields(of)
		names := 0
		for _, f := range fields {
			if f.Anonymous {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			property, ok := properties[name].(map[string]any)
			require.True(t, ok, "%s.%s is not in %s", path, name, schemaFile)
			names++
			documented(t, root, property, f.Type, path+"."+name)
		}
		require.Len(t, properties, names, "%s: the schema has fields that the summary has not", path)
	}
}
