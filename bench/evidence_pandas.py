"""One ready query with pandas, as a notebook would have it: evidence_pandas.py QUERY FILE columns|whole."""

import json
import sys

import pandas as pd

COST = ['BilledCost', 'EffectiveCost']
KEYS = {
    'cost-by-month': ['BillingPeriodStart', 'BillingCurrency', 'ChargeCategory'],
    'cost-by-service': ['BillingPeriodStart', 'ServiceCategory', 'ServiceName', 'BillingCurrency'],
    'cost-by-account': ['BillingPeriodStart', 'SubAccountId', 'SubAccountName', 'BillingCurrency'],
    'cost-by-tag': ['BillingPeriodStart', 'Tags', 'BillingCurrency'],
    'commitment-coverage': ['BillingPeriodStart', 'ServiceName', 'BillingCurrency', 'CommitmentDiscountStatus',
                            'PricingCategory', 'ChargeCategory'],
    'anomalies': ['BillingPeriodStart', 'SubAccountId', 'ServiceName', 'BillingCurrency'],
}


def main() -> None:
    query, file, what = sys.argv[1:]
    keys, values = KEYS[query], COST + (['ListCost'] if query == 'commitment-coverage' else [])
    columns = None if what == 'whole' else keys + values
    frame = pd.read_parquet(file, columns=columns) if file.endswith('.parquet') else pd.read_csv(file, usecols=columns)
    result = frame.groupby(keys, dropna=False)[values].sum().reset_index()
    if query == 'cost-by-tag':
        result['Tags'] = result['Tags'].map(lambda tags: json.loads(tags).get('team') if isinstance(tags, str) else None)
        result = result.groupby(keys, dropna=False)[values].sum().reset_index()
    if query == 'anomalies':
        series = result.pivot_table(index=keys[1:], columns=keys[0], values='EffectiveCost')
        result = (series.iloc[:, -1] - series.iloc[:, :-1].mean(axis=1)).sort_values()
    print(result.to_csv())


main()
