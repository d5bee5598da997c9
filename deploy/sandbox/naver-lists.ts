/** Lists of what is simply there: sites, specs, images and access control under vserver, networks under vpc. */
import {
  ACCESS_CONTROL_GROUP,
  IMAGES,
  REGION,
  SPECS,
  SUBNETS,
  ZONE,
  fits,
  subnetBlock,
  wireImage,
  wireSpec,
} from './naver-catalogue.ts'
import type { Subnet } from './naver-catalogue.ts'
import { ServiceRefusal } from './naver-errors.ts'
import type { Parameters } from './naver-parameters.ts'
import { code, wireDate } from './naver-wire.ts'
import type { WireRecord } from './naver-wire.ts'
import { among, contains, equals, listed, rowsOf } from './naver-world.ts'
import type { Actions } from './naver-world.ts'
import { NAVER } from './settings.ts'

const OPENED = wireDate(Date.parse('2026-01-05T00:00:00Z'))
const NETWORK_ACL_NO = '6001'

export const catalogueActions: Actions = {
  getRegionList: () => rowsOf('regionList', [REGION]),
  getZoneList: () => rowsOf('zoneList', [ZONE]),

  getServerSpecList(given) {
    const [imageNo, zoneCode] = [given.text('serverImageNo'), given.text('zoneCode')]
    const codes = given.list('serverSpecCodeList')
    const image = IMAGES.find((one) => one.serverImageNo === imageNo)
    if (imageNo !== null && image === undefined)
      throw new ServiceRefusal('notFound', `Server image ${imageNo} does not exist.`)
    const rows = SPECS.filter(
      (spec) =>
        among(codes, spec.serverSpecCode) &&
        (image === undefined || fits(spec, image)) &&
        equals(zoneCode, NAVER.zoneCode) &&
        ofKvm(given),
    )
    return rowsOf(
      'serverSpecList',
      rows.map((spec) => wireSpec(spec, SPECS.indexOf(spec))),
    )
  },

  getServerSpecDetail(given) {
    const wanted = given.required('serverSpecCode')
    const rows = SPECS.filter((spec) => spec.serverSpecCode === wanted)
    return rowsOf(
      'serverSpecList',
      rows.map((spec) => wireSpec(spec, SPECS.indexOf(spec))),
    )
  },

  getServerImageList(given) {
    const [numbers, categories] = [given.list('serverImageNoList'), given.list('platformCategoryCodeList')]
    const name = given.text('serverImageName')
    const rows = IMAGES.filter(
      (image) =>
        among(numbers, image.serverImageNo) &&
        contains(name, image.name) &&
        among(categories, image.category) &&
        among(given.list('serverImageTypeCodeList'), 'NCP') &&
        among(given.list('osTypeCodeList'), 'UBUNTU') &&
        equals(given.text('serverImageStatusCode'), 'CREAT') &&
        ofKvm(given),
    )
    return listed(
      given,
      'serverImageList',
      rows.map((image) => wireImage(image, OPENED)),
    )
  },

  getServerImageDetail(given) {
    const wanted = given.required('serverImageNo')
    const rows = IMAGES.filter((image) => image.serverImageNo === wanted)
    return rowsOf(
      'serverImageList',
      rows.map((image) => wireImage(image, OPENED)),
    )
  },

  getAccessControlGroupList(given) {
    const [numbers, vpcNo] = [given.list('accessControlGroupNoList'), given.text('vpcNo')]
    const isListed = among(numbers, NAVER.accessControlGroupNo) && equals(vpcNo, NAVER.vpcNo)
    return listed(given, 'accessControlGroupList', isListed ? [ACCESS_CONTROL_GROUP] : [])
  },

  getAccessControlGroupDetail(given) {
    const isFound = given.required('accessControlGroupNo') === NAVER.accessControlGroupNo
    return rowsOf('accessControlGroupList', isFound ? [ACCESS_CONTROL_GROUP] : [])
  },
}

/** Clients of different ages spell the filter differently. */
const ofKvm = (given: Parameters): boolean =>
  among([...given.list('hypervisorTypeCodeList'), ...given.list('hypervisorCodeList')], 'KVM')

export const networkActions: Actions = {
  getVpcList(given) {
    const [numbers, name] = [given.list('vpcNoList'), given.text('vpcName')]
    const isListed = among(numbers, NAVER.vpcNo) && contains(name, 'sim-vpc') && isRunning(given, 'vpcStatusCode')
    return rowsOf('vpcList', isListed ? [VPC] : [])
  },

  getVpcDetail: (given) => rowsOf('vpcList', given.required('vpcNo') === NAVER.vpcNo ? [VPC] : []),

  getSubnetList(given) {
    const numbers = given.list('subnetNoList')
    const text = (name: string): string | null => given.text(name)
    const rows = SUBNETS.filter(
      (subnet) =>
        among(numbers, subnet.subnetNo) &&
        contains(text('subnetName'), subnet.name) &&
        equals(text('vpcNo'), NAVER.vpcNo) &&
        equals(text('zoneCode'), NAVER.zoneCode) &&
        equals(text('subnetTypeCode'), subnet.type) &&
        equals(text('usageTypeCode'), 'GEN') &&
        equals(text('subnet'), subnetBlock(subnet)) &&
        equals(text('networkAclNo'), NETWORK_ACL_NO) &&
        isRunning(given, 'subnetStatusCode'),
    )
    return listed(given, 'subnetList', rows.map(subnetView))
  },

  getSubnetDetail(given) {
    const wanted = given.required('subnetNo')
    return rowsOf('subnetList', SUBNETS.filter((subnet) => subnet.subnetNo === wanted).map(subnetView))
  },

  getNetworkAclList: (given) =>
    listed(given, 'networkAclList', equals(given.text('vpcNo'), NAVER.vpcNo) ? [NETWORK_ACL] : []),
}

const isRunning = (given: Parameters, name: string): boolean => equals(given.text(name), 'RUN')

const VPC: WireRecord = {
  vpcNo: NAVER.vpcNo,
  vpcName: 'sim-vpc',
  ipv4CidrBlock: '10.0.0.0/16',
  vpcStatus: code('RUN', 'run'),
  regionCode: NAVER.regionCode,
  createDate: OPENED,
}

const NETWORK_ACL: WireRecord = {
  networkAclNo: NETWORK_ACL_NO,
  networkAclName: 'sim-default-network-acl',
  vpcNo: NAVER.vpcNo,
  networkAclStatus: code('RUN', 'run'),
  networkAclDescription: '',
  createDate: OPENED,
  isDefault: true,
}

const subnetView = (subnet: Subnet): WireRecord => ({
  subnetNo: subnet.subnetNo,
  vpcNo: NAVER.vpcNo,
  zoneCode: NAVER.zoneCode,
  subnetName: subnet.name,
  subnet: subnetBlock(subnet),
  subnetStatus: code('RUN', 'run'),
  createDate: OPENED,
  subnetType: subnet.type === 'PUBLIC' ? code('PUBLIC', 'Public') : code('PRIVATE', 'Private'),
  usageType: code('GEN', 'General'),
  networkAclNo: NETWORK_ACL_NO,
})
