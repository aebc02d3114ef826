package report

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that every kind of thing in a source has its class, that what is declared is told from what is called, and that
// nothing of a source acts.
func TestHighlighted(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		require.Equal(t, want, string(highlighted([]byte(source))))
	}
	f("func f() {}", `<span class="k">func</span> <span class="f">f</span>() {}`)
	f("func (s *T) f(x int) error {\n}", `<span class="k">func</span> (s *T) <span class="f">f</span>(x int) error {`+"\n}")
	f("type T struct{}", `<span class="k">type</span> <span class="f">T</span> <span class="k">struct</span>{}`)
	f("type (\n\tT int\n)\nvar x = g", `<span class="k">type</span> (`+"\n\tT int\n)\n"+`<span class="k">var</span> x = g`)
	f("\tx := func() error { return g(1.5) }",
		"\tx := "+`<span class="k">func</span>() error { <span class="k">return</span> g(<span class="n">1.5</span>) }`)
	f("x = `a\nb` // <script>", "x = "+`<span class="s">`+"`a\nb`"+`</span> <span class="c">// &lt;script&gt;</span>`)
	f(`'"' + "\""`, `<span class="s">&#39;&#34;&#39;</span> + <span class="s">&#34;\&#34;&#34;</span>`)
	f("x := \"not closed\n@ <b>", "x := "+`<span class="s">&#34;not closed</span>`+"\n@ &lt;b&gt;")
}

// Ensure that source can be read in the light and in the dark: every colour of it has the contrast that small text takes.
func TestCodeHasContrast(t *testing.T) {
	style := string(embeddedAssets().Style)
	dark := regexp.MustCompile(`@media \(prefers-color-scheme:dark\)\{:root\{[^}]*\}`)
	for theme, rules := range map[string]string{
		"light": dark.ReplaceAllString(style, ""), "dark": strings.Join(dark.FindAllString(style, -1), ""),
	} {
		colour := func(name string) float64 {
			found := regexp.MustCompile(regexp.QuoteMeta(name) + `:#([0-9a-f]{6})`).FindStringSubmatch(rules)
			require.NotNil(t, found, "%s: %s", theme, name)
			return luminance(t, found[1])
		}
		for _, name := range []string{"--ink", "--soft", "--code-k", "--code-s", "--code-n", "--code-f"} {
			a, b := colour(name), colour("--panel")
			require.GreaterOrEqual(t, (max(a, b)+0.05)/(min(a, b)+0.05), 4.5, "%s on --panel, %s", name, theme)
		}
	}
}

// luminance is the relative luminance of WCAG.
func luminance(t *testing.T, hex string) (sum float64) {
	t.Helper()
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		require.NoError(t, err)
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}
