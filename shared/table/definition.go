package table

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Definition describes the table as template.yaml declares it, without the time to live on "expires", which
// CreateTable cannot set: for tests and for tries against an emulator.
func Definition(name string) *dynamodb.CreateTableInput {
	input := &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   keySchema(PK, SK),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			index(OwnerIndex, OwnerPK, OwnerSK),
			index(EntityIndex, EntityPK, EntitySK),
		},
	}
	for _, name := range []string{PK, SK, OwnerPK, OwnerSK, EntityPK, EntitySK} {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &name, AttributeType: types.ScalarAttributeTypeS,
		})
	}
	return input
}

func index(name, hash, sort string) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{
		IndexName: &name, KeySchema: keySchema(hash, sort),
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
	}
}

func keySchema(hash, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &hash, KeyType: types.KeyTypeHash},
		{AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}

// Address is where DynamoDB answers for an account, "" if the SDK does not know: for a connection that is opened before
// the first request.
func Address(ctx context.Context, account aws.Config) string {
	parameters := dynamodb.EndpointParameters{Region: &account.Region, Endpoint: account.BaseEndpoint}
	endpoint, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, parameters)
	if err != nil {
		return ""
	}
	return endpoint.URI.String()
}
