package register

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	kinds "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/startup"
)

// CloudWatch is the Uses of a deployed stage: the metrics that its functions write into their logs. They are whole minutes,
// and some minutes late.
type CloudWatch struct {
	Client cloudWatchAPI // a *cloudwatch.Client
	Now    func() time.Time
}

// cloudWatchAPI is what this adapter uses of *cloudwatch.Client.
type cloudWatchAPI interface {
	GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
}

var _ Uses = CloudWatch{}

// Last implements Uses: the end of the last minute with a use.
func (c CloudWatch) Last(ctx context.Context, list, fingerprint string, since time.Time) (time.Time, error) {
	values, err := c.minutes(ctx, gate.UsesMetric, since, map[string]string{gate.SecretDimension: list, gate.FingerprintDimension: fingerprint})
	last := time.Time{}
	for at, value := range values {
		if end := at.Add(time.Minute); value > 0 && end.After(last) {
			last = end
		}
	}
	if now := c.Now(); last.After(now) { // the minute goes on
		last = now
	}
	return last, err
}

// Failures implements Uses.
func (c CloudWatch) Failures(ctx context.Context, document string, since time.Time) (int, error) {
	values, err := c.minutes(ctx, startup.NotReadMetric, since, map[string]string{startup.DocumentDimension: secrets.Name(document)})
	sum := 0.0
	for _, value := range values {
		sum += value
	}
	return int(sum), err
}

// minutes are the sums of a metric by the minute, from a time on.
func (c CloudWatch) minutes(ctx context.Context, name string, since time.Time, dimensions map[string]string) (map[time.Time]float64, error) {
	asked := kinds.Metric{Namespace: aws.String(metric.Namespace), MetricName: &name}
	for key, value := range dimensions {
		asked.Dimensions = append(asked.Dimensions, kinds.Dimension{Name: &key, Value: &value})
	}
	pages := cloudwatch.NewGetMetricDataPaginator(c.Client, &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(since.Truncate(time.Minute)), EndTime: aws.Time(c.Now().Add(time.Minute)),
		MetricDataQueries: []kinds.MetricDataQuery{{Id: aws.String("sums"), MetricStat: &kinds.MetricStat{Metric: &asked, Period: aws.Int32(60), Stat: aws.String("Sum")}}},
	})
	values := map[time.Time]float64{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the metric %s: %w", name, err)
		}
		for _, result := range page.MetricDataResults {
			for i, at := range result.Timestamps {
				if i < len(result.Values) {
					values[at] = result.Values[i]
				}
			}
		}
	}
	return values, nil
}
