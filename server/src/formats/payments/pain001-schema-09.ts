/** The ISO 20022 schema of pain.001.001.09 in the notation of schema.ts; a test compares the two with libxml2 as the judge. */
export const PAIN_001_09_SCHEMA = String.raw`
AccountIdentification4Choice |IBAN:IBAN2007Identifier |Othr:GenericAccountIdentification1
AccountSchemeName1Choice |Cd:ExternalAccountIdentification1Code |Prtry:Max35Text
ActiveOrHistoricCurrencyAndAmount_SimpleType ~decimal fractionDigits=5 totalDigits=18 minInclusive=0
ActiveOrHistoricCurrencyAndAmount =ActiveOrHistoricCurrencyAndAmount_SimpleType @Ccy:ActiveOrHistoricCurrencyCode
ActiveOrHistoricCurrencyCode ~string pattern=[A-Z]{3,3}
AddressType2Code ~string enumeration=ADDR|PBOX|HOME|BIZZ|MLTO|DLVY
AddressType3Choice |Cd:AddressType2Code |Prtry:GenericIdentification30
AmountType4Choice |InstdAmt:ActiveOrHistoricCurrencyAndAmount |EqvtAmt:EquivalentAmount2
AnyBICDec2014Identifier ~string pattern=[A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}
Authorisation1Choice |Cd:Authorisation1Code |Prtry:Max128Text
Authorisation1Code ~string enumeration=AUTH|FDET|FSUM|ILEV
BICFIDec2014Identifier ~string pattern=[A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}
BaseOneRate ~decimal fractionDigits=10 totalDigits=11
BatchBookingIndicator ~boolean
BranchAndFinancialInstitutionIdentification6 FinInstnId:FinancialInstitutionIdentification18 BrnchId:BranchData3?
BranchData3 Id:Max35Text? LEI:LEIIdentifier? Nm:Max140Text? PstlAdr:PostalAddress24?
CashAccount38 Id:AccountIdentification4Choice Tp:CashAccountType2Choice? Ccy:ActiveOrHistoricCurrencyCode? Nm:Max70Text?
  Prxy:ProxyAccountIdentification1?
CashAccountType2Choice |Cd:ExternalCashAccountType1Code |Prtry:Max35Text
CategoryPurpose1Choice |Cd:ExternalCategoryPurpose1Code |Prtry:Max35Text
ChargeBearerType1Code ~string enumeration=DEBT|CRED|SHAR|SLEV
Cheque11 ChqTp:ChequeType2Code? ChqNb:Max35Text? ChqFr:NameAndAddress16? DlvryMtd:ChequeDeliveryMethod1Choice?
  DlvrTo:NameAndAddress16? InstrPrty:Priority2Code? ChqMtrtyDt:ISODate? FrmsCd:Max35Text? MemoFld:Max35Text?*2
  RgnlClrZone:Max35Text? PrtLctn:Max35Text? Sgntr:Max70Text?*5
ChequeDelivery1Code ~string enumeration=MLDB|MLCD|MLFA|CRDB|CRCD|CRFA|PUDB|PUCD|PUFA|RGDB|RGCD|RGFA
ChequeDeliveryMethod1Choice |Cd:ChequeDelivery1Code |Prtry:Max35Text
ChequeType2Code ~string enumeration=CCHQ|CCCH|BCHQ|DRFT|ELDR
ClearingSystemIdentification2Choice |Cd:ExternalClearingSystemIdentification1Code |Prtry:Max35Text
ClearingSystemMemberIdentification2 ClrSysId:ClearingSystemIdentification2Choice? MmbId:Max35Text
Contact4 NmPrfx:NamePrefix2Code? Nm:Max140Text? PhneNb:PhoneNumber? MobNb:PhoneNumber? FaxNb:PhoneNumber?
  EmailAdr:Max2048Text? EmailPurp:Max35Text? JobTitl:Max35Text? Rspnsblty:Max35Text? Dept:Max70Text? Othr:OtherContact1?*
  PrefrdMtd:PreferredContactMethod1Code?
CountryCode ~string pattern=[A-Z]{2,2}
CreditDebitCode ~string enumeration=CRDT|DBIT
CreditTransferTransaction34 PmtId:PaymentIdentification6 PmtTpInf:PaymentTypeInformation26? Amt:AmountType4Choice
  XchgRateInf:ExchangeRate1? ChrgBr:ChargeBearerType1Code? ChqInstr:Cheque11? UltmtDbtr:PartyIdentification135?
  IntrmyAgt1:BranchAndFinancialInstitutionIdentification6? IntrmyAgt1Acct:CashAccount38?
  IntrmyAgt2:BranchAndFinancialInstitutionIdentification6? IntrmyAgt2Acct:CashAccount38?
  IntrmyAgt3:BranchAndFinancialInstitutionIdentification6? IntrmyAgt3Acct:CashAccount38?
  CdtrAgt:BranchAndFinancialInstitutionIdentification6? CdtrAgtAcct:CashAccount38? Cdtr:PartyIdentification135?
  CdtrAcct:CashAccount38? UltmtCdtr:PartyIdentification135? InstrForCdtrAgt:InstructionForCreditorAgent1?*
  InstrForDbtrAgt:Max140Text? Purp:Purpose2Choice? RgltryRptg:RegulatoryReporting3?*10 Tax:TaxInformation8?
  RltdRmtInf:RemittanceLocation7?*10 RmtInf:RemittanceInformation16? SplmtryData:SupplementaryData1?*
CreditorReferenceInformation2 Tp:CreditorReferenceType2? Ref:Max35Text?
CreditorReferenceType1Choice |Cd:DocumentType3Code |Prtry:Max35Text
CreditorReferenceType2 CdOrPrtry:CreditorReferenceType1Choice Issr:Max35Text?
CustomerCreditTransferInitiationV09 GrpHdr:GroupHeader85 PmtInf:PaymentInstruction30* SplmtryData:SupplementaryData1?*
DateAndDateTime2Choice |Dt:ISODate |DtTm:ISODateTime
DateAndPlaceOfBirth1 BirthDt:ISODate PrvcOfBirth:Max35Text? CityOfBirth:Max35Text CtryOfBirth:CountryCode
DatePeriod2 FrDt:ISODate ToDt:ISODate
DecimalNumber ~decimal fractionDigits=17 totalDigits=18
DiscountAmountAndType1 Tp:DiscountAmountType1Choice? Amt:ActiveOrHistoricCurrencyAndAmount
DiscountAmountType1Choice |Cd:ExternalDiscountAmountType1Code |Prtry:Max35Text
Document CstmrCdtTrfInitn:CustomerCreditTransferInitiationV09
DocumentAdjustment1 Amt:ActiveOrHistoricCurrencyAndAmount CdtDbtInd:CreditDebitCode? Rsn:Max4Text? AddtlInf:Max140Text?
DocumentLineIdentification1 Tp:DocumentLineType1? Nb:Max35Text? RltdDt:ISODate?
DocumentLineInformation1 Id:DocumentLineIdentification1* Desc:Max2048Text? Amt:RemittanceAmount3?
DocumentLineType1 CdOrPrtry:DocumentLineType1Choice Issr:Max35Text?
DocumentLineType1Choice |Cd:ExternalDocumentLineType1Code |Prtry:Max35Text
DocumentType3Code ~string enumeration=RADM|RPIN|FXDR|DISP|PUOR|SCOR
DocumentType6Code ~string enumeration=MSIN|CNFA|DNFA|CINV|CREN|DEBN|HIRI|SBIN|CMCN|SOAC|DISP|BOLD|VCHR|AROI|TSUT|PUOR
EquivalentAmount2 Amt:ActiveOrHistoricCurrencyAndAmount CcyOfTrf:ActiveOrHistoricCurrencyCode
Exact4AlphaNumericText ~string pattern=[a-zA-Z0-9]{4}
ExchangeRate1 UnitCcy:ActiveOrHistoricCurrencyCode? XchgRate:BaseOneRate? RateTp:ExchangeRateType1Code? CtrctId:Max35Text?
ExchangeRateType1Code ~string enumeration=SPOT|SALE|AGRD
ExternalAccountIdentification1Code ~string minLength=1 maxLength=4
ExternalCashAccountType1Code ~string minLength=1 maxLength=4
ExternalCategoryPurpose1Code ~string minLength=1 maxLength=4
ExternalClearingSystemIdentification1Code ~string minLength=1 maxLength=5
ExternalDiscountAmountType1Code ~string minLength=1 maxLength=4
ExternalDocumentLineType1Code ~string minLength=1 maxLength=4
ExternalFinancialInstitutionIdentification1Code ~string minLength=1 maxLength=4
ExternalGarnishmentType1Code ~string minLength=1 maxLength=4
ExternalLocalInstrument1Code ~string minLength=1 maxLength=35
ExternalOrganisationIdentification1Code ~string minLength=1 maxLength=4
ExternalPersonIdentification1Code ~string minLength=1 maxLength=4
ExternalProxyAccountType1Code ~string minLength=1 maxLength=4
ExternalPurpose1Code ~string minLength=1 maxLength=4
ExternalServiceLevel1Code ~string minLength=1 maxLength=4
ExternalTaxAmountType1Code ~string minLength=1 maxLength=4
FinancialIdentificationSchemeName1Choice |Cd:ExternalFinancialInstitutionIdentification1Code |Prtry:Max35Text
FinancialInstitutionIdentification18 BICFI:BICFIDec2014Identifier? ClrSysMmbId:ClearingSystemMemberIdentification2?
  LEI:LEIIdentifier? Nm:Max140Text? PstlAdr:PostalAddress24? Othr:GenericFinancialIdentification1?
Garnishment3 Tp:GarnishmentType1 Grnshee:PartyIdentification135? GrnshmtAdmstr:PartyIdentification135? RefNb:Max140Text?
  Dt:ISODate? RmtdAmt:ActiveOrHistoricCurrencyAndAmount? FmlyMdclInsrncInd:TrueFalseIndicator?
  MplyeeTermntnInd:TrueFalseIndicator?
GarnishmentType1 CdOrPrtry:GarnishmentType1Choice Issr:Max35Text?
GarnishmentType1Choice |Cd:ExternalGarnishmentType1Code |Prtry:Max35Text
GenericAccountIdentification1 Id:Max34Text SchmeNm:AccountSchemeName1Choice? Issr:Max35Text?
GenericFinancialIdentification1 Id:Max35Text SchmeNm:FinancialIdentificationSchemeName1Choice? Issr:Max35Text?
GenericIdentification30 Id:Exact4AlphaNumericText Issr:Max35Text SchmeNm:Max35Text?
GenericOrganisationIdentification1 Id:Max35Text SchmeNm:OrganisationIdentificationSchemeName1Choice? Issr:Max35Text?
GenericPersonIdentification1 Id:Max35Text SchmeNm:PersonIdentificationSchemeName1Choice? Issr:Max35Text?
GroupHeader85 MsgId:Max35Text CreDtTm:ISODateTime Authstn:Authorisation1Choice?*2 NbOfTxs:Max15NumericText
  CtrlSum:DecimalNumber? InitgPty:PartyIdentification135 FwdgAgt:BranchAndFinancialInstitutionIdentification6?
IBAN2007Identifier ~string pattern=[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}
ISODate ~date
ISODateTime ~dateTime
Instruction3Code ~string enumeration=CHQB|HOLD|PHOB|TELB
InstructionForCreditorAgent1 Cd:Instruction3Code? InstrInf:Max140Text?
LEIIdentifier ~string pattern=[A-Z0-9]{18,18}[0-9]{2,2}
LocalInstrument2Choice |Cd:ExternalLocalInstrument1Code |Prtry:Max35Text
Max10Text ~string minLength=1 maxLength=10
Max128Text ~string minLength=1 maxLength=128
Max140Text ~string minLength=1 maxLength=140
Max15NumericText ~string pattern=[0-9]{1,15}
Max16Text ~string minLength=1 maxLength=16
Max2048Text ~string minLength=1 maxLength=2048
Max34Text ~string minLength=1 maxLength=34
Max350Text ~string minLength=1 maxLength=350
Max35Text ~string minLength=1 maxLength=35
Max4Text ~string minLength=1 maxLength=4
Max70Text ~string minLength=1 maxLength=70
NameAndAddress16 Nm:Max140Text Adr:PostalAddress24
NamePrefix2Code ~string enumeration=DOCT|MADM|MISS|MIST|MIKS
Number ~decimal fractionDigits=0 totalDigits=18
OrganisationIdentification29 AnyBIC:AnyBICDec2014Identifier? LEI:LEIIdentifier? Othr:GenericOrganisationIdentification1?*
OrganisationIdentificationSchemeName1Choice |Cd:ExternalOrganisationIdentification1Code |Prtry:Max35Text
OtherContact1 ChanlTp:Max4Text Id:Max128Text?
Party38Choice |OrgId:OrganisationIdentification29 |PrvtId:PersonIdentification13
PartyIdentification135 Nm:Max140Text? PstlAdr:PostalAddress24? Id:Party38Choice? CtryOfRes:CountryCode? CtctDtls:Contact4?
PaymentIdentification6 InstrId:Max35Text? EndToEndId:Max35Text UETR:UUIDv4Identifier?
PaymentInstruction30 PmtInfId:Max35Text PmtMtd:PaymentMethod3Code BtchBookg:BatchBookingIndicator? NbOfTxs:Max15NumericText?
  CtrlSum:DecimalNumber? PmtTpInf:PaymentTypeInformation26? ReqdExctnDt:DateAndDateTime2Choice PoolgAdjstmntDt:ISODate?
  Dbtr:PartyIdentification135 DbtrAcct:CashAccount38 DbtrAgt:BranchAndFinancialInstitutionIdentification6
  DbtrAgtAcct:CashAccount38? InstrForDbtrAgt:Max140Text? UltmtDbtr:PartyIdentification135? ChrgBr:ChargeBearerType1Code?
  ChrgsAcct:CashAccount38? ChrgsAcctAgt:BranchAndFinancialInstitutionIdentification6? CdtTrfTxInf:CreditTransferTransaction34*
PaymentMethod3Code ~string enumeration=CHK|TRF|TRA
PaymentTypeInformation26 InstrPrty:Priority2Code? SvcLvl:ServiceLevel8Choice?* LclInstrm:LocalInstrument2Choice?
  CtgyPurp:CategoryPurpose1Choice?
PercentageRate ~decimal fractionDigits=10 totalDigits=11
PersonIdentification13 DtAndPlcOfBirth:DateAndPlaceOfBirth1? Othr:GenericPersonIdentification1?*
PersonIdentificationSchemeName1Choice |Cd:ExternalPersonIdentification1Code |Prtry:Max35Text
PhoneNumber ~string pattern=\+[0-9]{1,3}-[0-9()+\-]{1,30}
PostalAddress24 AdrTp:AddressType3Choice? Dept:Max70Text? SubDept:Max70Text? StrtNm:Max70Text? BldgNb:Max16Text?
  BldgNm:Max35Text? Flr:Max70Text? PstBx:Max16Text? Room:Max70Text? PstCd:Max16Text? TwnNm:Max35Text? TwnLctnNm:Max35Text?
  DstrctNm:Max35Text? CtrySubDvsn:Max35Text? Ctry:CountryCode? AdrLine:Max70Text?*7
PreferredContactMethod1Code ~string enumeration=LETT|MAIL|PHON|FAXX|CELL
Priority2Code ~string enumeration=HIGH|NORM
ProxyAccountIdentification1 Tp:ProxyAccountType1Choice? Id:Max2048Text
ProxyAccountType1Choice |Cd:ExternalProxyAccountType1Code |Prtry:Max35Text
Purpose2Choice |Cd:ExternalPurpose1Code |Prtry:Max35Text
ReferredDocumentInformation7 Tp:ReferredDocumentType4? Nb:Max35Text? RltdDt:ISODate? LineDtls:DocumentLineInformation1?*
ReferredDocumentType3Choice |Cd:DocumentType6Code |Prtry:Max35Text
ReferredDocumentType4 CdOrPrtry:ReferredDocumentType3Choice Issr:Max35Text?
RegulatoryAuthority2 Nm:Max140Text? Ctry:CountryCode?
RegulatoryReporting3 DbtCdtRptgInd:RegulatoryReportingType1Code? Authrty:RegulatoryAuthority2?
  Dtls:StructuredRegulatoryReporting3?*
RegulatoryReportingType1Code ~string enumeration=CRED|DEBT|BOTH
RemittanceAmount2 DuePyblAmt:ActiveOrHistoricCurrencyAndAmount? DscntApldAmt:DiscountAmountAndType1?*
  CdtNoteAmt:ActiveOrHistoricCurrencyAndAmount? TaxAmt:TaxAmountAndType1?* AdjstmntAmtAndRsn:DocumentAdjustment1?*
  RmtdAmt:ActiveOrHistoricCurrencyAndAmount?
RemittanceAmount3 DuePyblAmt:ActiveOrHistoricCurrencyAndAmount? DscntApldAmt:DiscountAmountAndType1?*
  CdtNoteAmt:ActiveOrHistoricCurrencyAndAmount? TaxAmt:TaxAmountAndType1?* AdjstmntAmtAndRsn:DocumentAdjustment1?*
  RmtdAmt:ActiveOrHistoricCurrencyAndAmount?
RemittanceInformation16 Ustrd:Max140Text?* Strd:StructuredRemittanceInformation16?*
RemittanceLocation7 RmtId:Max35Text? RmtLctnDtls:RemittanceLocationData1?*
RemittanceLocationData1 Mtd:RemittanceLocationMethod2Code ElctrncAdr:Max2048Text? PstlAdr:NameAndAddress16?
RemittanceLocationMethod2Code ~string enumeration=FAXI|EDIC|URID|EMAL|POST|SMSM
ServiceLevel8Choice |Cd:ExternalServiceLevel1Code |Prtry:Max35Text
StructuredRegulatoryReporting3 Tp:Max35Text? Dt:ISODate? Ctry:CountryCode? Cd:Max10Text?
  Amt:ActiveOrHistoricCurrencyAndAmount? Inf:Max35Text?*
StructuredRemittanceInformation16 RfrdDocInf:ReferredDocumentInformation7?* RfrdDocAmt:RemittanceAmount2?
  CdtrRefInf:CreditorReferenceInformation2? Invcr:PartyIdentification135? Invcee:PartyIdentification135?
  TaxRmt:TaxInformation7? GrnshmtRmt:Garnishment3? AddtlRmtInf:Max140Text?*3
SupplementaryData1 PlcAndNm:Max350Text? Envlp:SupplementaryDataEnvelope1
SupplementaryDataEnvelope1 *any
TaxAmount2 Rate:PercentageRate? TaxblBaseAmt:ActiveOrHistoricCurrencyAndAmount? TtlAmt:ActiveOrHistoricCurrencyAndAmount?
  Dtls:TaxRecordDetails2?*
TaxAmountAndType1 Tp:TaxAmountType1Choice? Amt:ActiveOrHistoricCurrencyAndAmount
TaxAmountType1Choice |Cd:ExternalTaxAmountType1Code |Prtry:Max35Text
TaxAuthorisation1 Titl:Max35Text? Nm:Max140Text?
TaxInformation7 Cdtr:TaxParty1? Dbtr:TaxParty2? UltmtDbtr:TaxParty2? AdmstnZone:Max35Text? RefNb:Max140Text? Mtd:Max35Text?
  TtlTaxblBaseAmt:ActiveOrHistoricCurrencyAndAmount? TtlTaxAmt:ActiveOrHistoricCurrencyAndAmount? Dt:ISODate? SeqNb:Number?
  Rcrd:TaxRecord2?*
TaxInformation8 Cdtr:TaxParty1? Dbtr:TaxParty2? AdmstnZone:Max35Text? RefNb:Max140Text? Mtd:Max35Text?
  TtlTaxblBaseAmt:ActiveOrHistoricCurrencyAndAmount? TtlTaxAmt:ActiveOrHistoricCurrencyAndAmount? Dt:ISODate? SeqNb:Number?
  Rcrd:TaxRecord2?*
TaxParty1 TaxId:Max35Text? RegnId:Max35Text? TaxTp:Max35Text?
TaxParty2 TaxId:Max35Text? RegnId:Max35Text? TaxTp:Max35Text? Authstn:TaxAuthorisation1?
TaxPeriod2 Yr:ISODate? Tp:TaxRecordPeriod1Code? FrToDt:DatePeriod2?
TaxRecord2 Tp:Max35Text? Ctgy:Max35Text? CtgyDtls:Max35Text? DbtrSts:Max35Text? CertId:Max35Text? FrmsCd:Max35Text?
  Prd:TaxPeriod2? TaxAmt:TaxAmount2? AddtlInf:Max140Text?
TaxRecordDetails2 Prd:TaxPeriod2? Amt:ActiveOrHistoricCurrencyAndAmount
TaxRecordPeriod1Code ~string
  enumeration=MM01|MM02|MM03|MM04|MM05|MM06|MM07|MM08|MM09|MM10|MM11|MM12|QTR1|QTR2|QTR3|QTR4|HLF1|HLF2
TrueFalseIndicator ~boolean
UUIDv4Identifier ~string pattern=[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}
`
