package jobs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// sentRead is what the tests look at of a GetItem or Query.
type sentRead struct {
	operation                 string
	IndexName                 string
	KeyConditionExpression    string
	ExpressionAttributeValues map[string]struct{ S, N string }
	Key                       map[string]struct{ S string }
	Limit                     int
}

// reading returns a store whose n-th call is answered with the n-th body, and what was asked.
func reading(t *testing.T, bodies ...string) (*jobs.DynamoDB, *[]sentRead) {
	t.Helper()
	asked := &[]sentRead{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var read sentRead
		if err := json.NewDecoder(r.Body).Decode(&read); err != nil {
			t.Error(err)
		}
		_, read.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		*asked = append(*asked, read)
		body := `{}`
		if n := len(*asked); n <= len(bodies) {
			body = bodies[n-1]
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if strings.Contains(body, `"__type"`) {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	client := dynamodb.NewFromConfig(awsConfig(server.URL, server.Client()))
	return jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: client, Table: "table", Now: func() time.Time { return noon }}), asked
}

const refusedRead = `{"__type":"x#AccessDeniedException"}`

// stateOf is a STATE row with a job's JSON that expires after noon.
func stateOf(id, more string) string {
	record := fmt.Sprintf(`{"id":%q%s}`, id, more)
	return fmt.Sprintf(`{"sk":{"S":"STATE"},"json":{"S":%q},"born":{"N":"%d"},"expires":{"N":"%d"}}`, record, noon.Unix(), noon.Add(time.Second).Unix())
}

func items(rows ...string) string { return `{"Items":[` + strings.Join(rows, ",") + `]}` }

func TestDynamoDBGet(t *testing.T) {
	expired := strings.ReplaceAll(stateOf("a", ""), fmt.Sprint(noon.Add(time.Second).Unix()), fmt.Sprint(noon.Unix()))
	for name, c := range map[string]struct {
		body string
		id   string
		want error // nil: found
		asks int
	}{
		"there":              {`{"Item":` + stateOf("a", "") + `}`, "a", nil, 1},
		"not there":          {`{}`, "a", jobs.ErrNotFound, 1},
		"its time has ended": {`{"Item":` + expired + `}`, "a", jobs.ErrNotFound, 1},
		"a newer format":     {`{"Item":` + stateOf("a", fmt.Sprintf(`,"format":%d`, jobs.Format+1)) + `}`, "a", jobs.ErrNewer, 1},
		"refused":            {refusedRead, "a", errAway, 1},
		"an ID of no job":    {`{}`, strings.Repeat("a", 65), jobs.ErrNotFound, 0},
		"the longest ID":     {`{}`, strings.Repeat("a", 64), jobs.ErrNotFound, 1},
		"no ID":              {`{}`, "", jobs.ErrNotFound, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d, asked := reading(t, c.body)
			job, err := d.Get(t.Context(), c.id)
			switch {
			case c.want == nil && (err != nil || job.ID != "a"),
				c.want == errAway && (err == nil || errors.Is(err, jobs.ErrNotFound)),
				c.want != errAway && !errors.Is(err, c.want):
				t.Errorf("%q, %v", job.ID, err)
			}
			if len(*asked) != c.asks || c.asks == 1 && ((*asked)[0].Key["pk"].S != "JOB#"+c.id || (*asked)[0].Key["sk"].S != "STATE") {
				t.Errorf("asked %+v", *asked)
			}
			if _, err := d.Load(t.Context(), c.id); c.asks == 0 && !errors.Is(err, jobs.ErrNotFound) || len(*asked) != 2*c.asks {
				t.Errorf("load: %v after %d calls", err, len(*asked))
			}
		})
	}
}

func TestDynamoDBLoadReadsBothRowsAtOnce(t *testing.T) {
	d, asked := reading(t, items(`{"sk":{"S":"ITEMS"},"json":{"S":"{\"items\":[{\"type\":\"product\",\"id\":\"x\"}]}"}}`, stateOf("a", "")))
	job, err := d.Load(t.Context(), "a")
	if err != nil || job.ID != "a" || len(job.Items) != 1 || job.Items[0].ID != "x" || len(*asked) != 1 {
		t.Errorf("%+v, %v after %d calls", job, err, len(*asked))
	}
	d, _ = reading(t, refusedRead)
	if _, err := d.Load(t.Context(), "a"); err == nil || errors.Is(err, jobs.ErrNotFound) {
		t.Error(err)
	}
}

func TestDynamoDBList(t *testing.T) {
	newer := stateOf("newer", fmt.Sprintf(`,"format":%d`, jobs.Format+1))
	for name, c := range map[string]struct {
		query jobs.Query
		body  string
		found []string
		more  bool
		index string
		bound string
	}{
		"of a user":           {jobs.Query{Owner: "main#u", Limit: 2}, items(stateOf("a", ""), stateOf("b", "")), []string{"a", "b"}, false, "gsi1", ""},
		"of an entity":        {jobs.Query{Entity: "main#product/x", Limit: 2}, items(stateOf("a", "")), []string{"a"}, false, "gsi2", ""},
		"there are more":      {jobs.Query{Owner: "main#u", Limit: 2}, items(stateOf("a", ""), stateOf("b", ""), stateOf("c", "")), []string{"a", "b"}, true, "gsi1", ""},
		"a newer one between": {jobs.Query{Owner: "main#u", Limit: 2}, items(stateOf("a", ""), newer, stateOf("b", "")), []string{"a", "b"}, false, "gsi1", ""},
		"before a time":       {jobs.Query{Entity: "main#product/x", Limit: 2, Before: noon}, items(), nil, false, "gsi2", "2026"},
	} {
		t.Run(name, func(t *testing.T) {
			d, asked := reading(t, c.body)
			found, more, err := d.List(t.Context(), c.query)
			var names []string
			for _, job := range found {
				names = append(names, job.ID)
			}
			if err != nil || strings.Join(names, " ") != strings.Join(c.found, " ") || more != c.more {
				t.Errorf("%q, more %t, %v", names, more, err)
			}
			sent := (*asked)[0]
			if sent.IndexName != c.index || sent.Limit != 3 || sent.ExpressionAttributeValues[":key"].S != c.query.Owner+c.query.Entity ||
				!strings.HasPrefix(sent.KeyConditionExpression, c.index+"pk = :key") ||
				(c.bound != "") != strings.HasSuffix(sent.KeyConditionExpression, " AND "+c.index+"sk < :bound") {
				t.Errorf("asked %+v", sent)
			}
		})
	}
	for name, body := range map[string]string{"refused": refusedRead, "a record that is none": items(`{"json":{"S":"nonsense"}}`)} {
		d, _ := reading(t, body)
		if _, _, err := d.List(t.Context(), jobs.Query{Owner: "main#u"}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestDynamoDBFailures(t *testing.T) {
	row := func(reasons ...string) string {
		var list []jobs.Failure
		for _, reason := range reasons {
			list = append(list, jobs.Failure{Reason: reason})
		}
		text, _ := json.Marshal(list)
		return fmt.Sprintf(`{"json":{"S":%q}}`, text)
	}
	state := `{"Item":` + stateOf("a", "") + `}`
	for name, c := range map[string]struct {
		limit  int
		bodies []string
		found  int
		page   int
		asks   int
		fails  bool
	}{
		"all":                  {0, []string{state, items(row("1", "2"), row("3"))}, 3, 0, 2, false},
		"as many as there are": {3, []string{state, items(row("1", "2"), row("3"))}, 3, 3, 2, false},
		"fewer":                {2, []string{state, items(row("1", "2"), row("3"))}, 2, 2, 2, false},
		"a part of a row":      {1, []string{state, items(row("1", "2"))}, 1, 1, 2, false},
		"as many as were asked for, and more behind them": {2, []string{state, strings.Replace(items(row("1", "2")), "}]}", `}],"LastEvaluatedKey":{"pk":{"S":"JOB#a"}}}`, 1)}, 2, 2, 2, false},
		"none":                    {0, []string{state, items()}, 0, 0, 2, false},
		"no job":                  {0, []string{`{}`}, 0, 0, 1, false},
		"the job cannot be read":  {0, []string{refusedRead}, 0, 0, 1, true},
		"the rows cannot be read": {0, []string{state, refusedRead}, 0, 0, 2, true},
		"a row that is none":      {0, []string{state, items(`{"json":{"S":"nonsense"}}`)}, 0, 0, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			d, asked := reading(t, c.bodies...)
			found, err := d.Failures(t.Context(), "a", c.limit)
			if len(found) != c.found || (err != nil) != c.fails || len(*asked) != c.asks {
				t.Fatalf("%d failures, %v after %d calls", len(found), err, len(*asked))
			}
			if c.asks == 2 {
				// Rows of a former job of the same ID are older than any of this one.
				since := (*asked)[1].ExpressionAttributeValues[":since"].N
				if since != fmt.Sprint(noon.Add(jobs.Life).Unix()) || (*asked)[1].Limit != c.page {
					t.Errorf("since %s, page %d", since, (*asked)[1].Limit)
				}
			}
		})
	}
}
