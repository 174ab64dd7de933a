package register_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	kinds "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pim-functions/pim-functions/functions/register"
)

// minutes plays CloudWatch: sums by the minute, one of them on each page.
type minutes struct {
	values map[time.Time]float64
	err    error
	asked  []string
}

func (m *minutes) GetMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	if m.err != nil {
		return nil, m.err
	}
	stat := in.MetricDataQueries[0].MetricStat
	name := *stat.Metric.Namespace + " " + *stat.Metric.MetricName + " " + *stat.Stat
	for _, dimension := range stat.Metric.Dimensions {
		name += " " + *dimension.Name + "=" + *dimension.Value
	}
	words := strings.Fields(name)
	slices.Sort(words[3:]) // a set
	m.asked = append(m.asked, strings.Join(words, " "))
	var times []time.Time
	for at := range m.values {
		if !at.Before(*in.StartTime) && at.Before(*in.EndTime) {
			times = append(times, at)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	page := 0
	if in.NextToken != nil {
		fmt.Sscan(*in.NextToken, &page)
	}
	out := &cloudwatch.GetMetricDataOutput{}
	if page < len(times) {
		out.MetricDataResults = []kinds.MetricDataResult{{Timestamps: times[page : page+1], Values: []float64{m.values[times[page]]}}}
	}
	if page+1 < len(times) {
		next := fmt.Sprint(page + 1)
		out.NextToken = &next
	}
	return out, nil
}

func TestUsesOfADeployedStage(t *testing.T) {
	minute := func(n int) time.Time { return time.Date(2026, 3, 2, 10, n, 0, 0, time.UTC) }
	now := minute(42).Add(20 * time.Second)
	api := &minutes{values: map[time.Time]float64{minute(30): 7, minute(38): 2, minute(39): 1, minute(40): 0}}
	uses := register.CloudWatch{Client: api, Now: func() time.Time { return now }}
	for since, want := range map[time.Time]time.Time{
		minute(35):                       minute(40), // the end of the last minute with a use
		minute(39).Add(50 * time.Second): minute(40),
		minute(40):                       {},
		minute(0):                        minute(40),
	} {
		if got, err := uses.Last(t.Context(), "button", "ab12", since); err != nil || !got.Equal(want) {
			t.Errorf("since %s: %s, %v", since, got, err)
		}
	}
	if want := "pim-functions SecretUsed Sum Fingerprint=ab12 Secret=button"; api.asked[0] != want {
		t.Errorf("asked for %q, want %q", api.asked[0], want)
	}
	api.values[minute(42)] = 1
	if got, err := uses.Last(t.Context(), "button", "ab12", minute(35)); err != nil || !got.Equal(now) {
		t.Errorf("in this minute: %s, %v", got, err)
	}
	document := "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pim-functions/dev/signing-AbC123"
	if n, err := uses.Failures(t.Context(), document, minute(38)); err != nil || n != 4 {
		t.Errorf("%d failures, %v", n, err)
	}
	if want := "pim-functions SecretsNotRead Sum Document=pim-functions/dev/signing"; api.asked[len(api.asked)-1] != want {
		t.Errorf("asked for %q, want %q", api.asked[len(api.asked)-1], want)
	}
	api.err = errors.New("not allowed")
	if _, err := uses.Last(t.Context(), "button", "ab12", minute(35)); !errors.Is(err, api.err) {
		t.Errorf("%v", err)
	}
	if _, err := uses.Failures(t.Context(), document, minute(35)); !errors.Is(err, api.err) {
		t.Errorf("%v", err)
	}
}

func TestUsesOfALocalSystem(t *testing.T) {
	answer := `{"used":[{"list":"button","fingerprint":"ab12","count":3,"last":"2026-03-02T10:40:00Z"}],"notRead":[{"document":"signing","count":2,"last":"2026-03-02T10:40:00Z"}]}`
	status := 200
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	defer server.Close()
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	uses := register.Inspector{Base: base, Client: register.ProbeClient(http.DefaultTransport)}
	at := time.Date(2026, 3, 2, 10, 40, 0, 0, time.UTC)
	for _, row := range []struct {
		list, fingerprint string
		since             time.Time
		used              bool
	}{{"button", "ab12", at, true}, {"button", "ab12", at.Add(time.Second), false}, {"button", "cd34", at, false}, {"panel", "ab12", at, false}} {
		if got, err := uses.Last(t.Context(), row.list, row.fingerprint, row.since); err != nil || got.IsZero() == row.used {
			t.Errorf("%+v: %s, %v", row, got, err)
		}
	}
	if n, err := uses.Failures(t.Context(), "signing", at); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := uses.Failures(t.Context(), "signing", at.Add(time.Minute)); n != 0 || err != nil {
		t.Errorf("later: %d, %v", n, err)
	}
	for _, broken := range []struct {
		status int
		answer string
	}{{404, `{}`}, {200, `<html>`}} {
		status, answer = broken.status, broken.answer
		if _, err := uses.Last(t.Context(), "button", "ab12", at); err == nil {
			t.Errorf("%d %s is no error", broken.status, broken.answer)
		}
	}
}
